package webhook

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// signer signs one attempt (Standard Webhooks 1.0.0, "Signature scheme").
type signer func(id string, at time.Time, body []byte) (string, error)

const (
	minSecret = 24 // bytes, as Standard Webhooks demand
	maxSecret = 64
)

// newSigner returns the signer of a secret. The error does not show it.
func newSigner(secret string) (signer, error) {
	symmetric, isSymmetric := strings.CutPrefix(secret, "whsec_")
	private, isPrivate := strings.CutPrefix(secret, "whsk_")
	switch {
	case isSymmetric:
		return newV1(symmetric)
	case isPrivate:
		return newV1a(private)
	default:
		return nil, errors.New("must begin with whsec_ (HMAC-SHA-256) or whsk_ (Ed25519)")
	}
}

func newV1(encoded string) (signer, error) {
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(key) < minSecret || len(key) > maxSecret {
		return nil, fmt.Errorf("must be %d to %d bytes in base64 after whsec_", minSecret, maxSecret)
	}
	webhook, err := standardwebhooks.NewWebhookRaw(key)
	if err != nil {
		return nil, errors.New("is no key")
	}
	return webhook.Sign, nil
}

// newV1a takes a private key as its seed of 32 bytes, or with the public key
// behind it.
func newV1a(encoded string) (signer, error) {
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(key) != ed25519.SeedSize && len(key) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("must be %d or %d bytes in base64 after whsk_", ed25519.SeedSize, ed25519.PrivateKeySize)
	}
	private := ed25519.NewKeyFromSeed(key[:ed25519.SeedSize])
	if len(key) == ed25519.PrivateKeySize && !private.Equal(ed25519.PrivateKey(key)) {
		return nil, errors.New("must end with the public key that belongs to the private key")
	}
	return func(id string, at time.Time, body []byte) (string, error) {
		signed := fmt.Appendf(nil, "%s.%d.%s", id, at.Unix(), body)
		return "v1a," + base64.StdEncoding.EncodeToString(ed25519.Sign(private, signed)), nil
	}, nil
}
