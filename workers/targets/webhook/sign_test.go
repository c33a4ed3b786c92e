package webhook

import (
	"crypto/ed25519"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

// The message that the vectors sign: that of the Standard Webhooks libraries.
const (
	vectorID     = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	vectorAt     = 1614265330
	vectorBody   = `{"test": 2432232314}`
	vectorSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	vectorV1     = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	vectorV1a    = "v1a,yoUrgEkc12aGqm0n4Sydmdz55xJfTz4AsAgieHFjmkR7LJtqVCZOQYzvvHjI5kAey+r4iaBGxTFRrl2iBQxtDQ=="
	vectorPublic = "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="
)

// vectorSeed is the bytes 0 to 31.
func vectorSeed() []byte {
	seed := make([]byte, ed25519.SeedSize)
	for i := range seed {
		seed[i] = byte(i)
	}
	return seed
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	private := ed25519.NewKeyFromSeed(vectorSeed())
	if public := base64.StdEncoding.EncodeToString(private.Public().(ed25519.PublicKey)); public != vectorPublic {
		t.Errorf("public key %s, want %s", public, vectorPublic)
	}
	for name, tt := range map[string]struct{ secret, want string }{
		"v1":                     {vectorSecret, vectorV1},
		"v1a of a seed":          {"whsk_" + base64.StdEncoding.EncodeToString(vectorSeed()), vectorV1a},
		"v1a of an expanded key": {"whsk_" + base64.StdEncoding.EncodeToString(private), vectorV1a},
	} {
		sign, err := newSigner(tt.secret)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := sign(vectorID, time.Unix(vectorAt, 0), []byte(vectorBody))
		if err != nil || got != tt.want {
			t.Errorf("%s: %s, %v; want %s", name, got, err, tt.want)
		}
	}
}

func configureYAML(settings string) error {
	_, _, err := configure(func(into any) error { return yaml.UnmarshalWithOptions([]byte(settings), into, yaml.Strict()) })
	return err
}

// TestFaultsOfSettings: all at once, and none shows a secret.
func TestFaultsOfSettings(t *testing.T) {
	t.Parallel()
	const valid = "{name: w, kind: webhook, url: 'https://x.example', secrets: [" + vectorSecret + "]"
	short := base64.StdEncoding.EncodeToString(make([]byte, minSecret-1))
	long := base64.StdEncoding.EncodeToString(make([]byte, maxSecret+1))
	for settings, want := range map[string][]string{
		valid + "}": nil,
		valid + ", events: [logoutd.user.revoked.v1], tenants: [a], apps: [b], timeout: 20s}": nil,
		"{name: w, kind: webhook}": {"url: give an absolute", "secrets: give at least one"},
		"{name: w, kind: webhook, url: '/relative', secrets: [" + vectorSecret + "]}":        {"url: give an absolute"},
		"{name: w, kind: webhook, url: 'ftp://x', secrets: [secret-of-mine, whsec_@secret]}": {"url: give", "secrets[0]: must begin", "secrets[1]: must be 24 to 64"},
		"{name: w, kind: webhook, url: 'http://x', secrets: [whsec_" + short + "]}":          {"secrets[0]: must be 24 to 64"},
		"{name: w, kind: webhook, url: 'http://x', secrets: [whsec_" + long + "]}":           {"secrets[0]: must be 24 to 64"},
		"{name: w, kind: webhook, url: 'http://x', secrets: [whsk_" + short + "]}":           {"secrets[0]: must be 32 or 64"},
		valid + ", events: [logoutd.revocation.failed.v1, user]}":                            {`"logoutd.revocation.failed.v1" is none of`, `"user" is none of`},
		valid + ", method: PUT}": {"unknown field"},
	} {
		err := configureYAML(settings)
		if (err == nil) != (want == nil) {
			t.Errorf("%s: %v, want an error with %q", settings, err, want)
			continue
		}
		for _, text := range want {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("%s: %v, want %q in it", settings, err, text)
			}
		}
		if err != nil && strings.Contains(err.Error(), "secret-of-mine") {
			t.Errorf("%s: the error shows a secret: %v", settings, err)
		}
	}
}

// An expanded private key that does not belong to its public half would sign
// what no receiver can verify.
func TestPrivateKeyWithAnotherPublicKeyIsRefused(t *testing.T) {
	t.Parallel()
	key := append(vectorSeed(), make([]byte, ed25519.PublicKeySize)...)
	if _, err := newSigner("whsk_" + base64.StdEncoding.EncodeToString(key)); err == nil {
		t.Error("the key is accepted")
	}
}
