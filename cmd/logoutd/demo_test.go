package main

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestDemo runs what make run prints: three curl commands that register a
// session, log it out, and show that it is dead.
func TestDemo(t *testing.T) {
	t.Parallel()
	i := newSetup(t, "").start(t)
	t.Logf("ready after %s", i.took.Round(time.Millisecond))
	if i.took > 5*time.Second { // a second on an idle machine
		t.Errorf("ready after %s", i.took)
	}
	for name, want := range map[string]string{
		"broker": "embedded, in logoutd-data/broker", "store": "embedded, in logoutd-data/store.db",
		"admin token": "logoutd-data/admin.token",
	} {
		if got := i.printed(name); !strings.HasPrefix(got, want) {
			t.Errorf("%s is said to be %q, want %q", name, got, want)
		}
	}
	var answers []string
	for line := range strings.Lines(i.stdout.String()) {
		if !strings.HasPrefix(line, "curl ") {
			continue
		}
		a := do(curl(t, i.setup.dir, line))
		if !a.ok() {
			t.Errorf("%d %s %v: %s", a.status, a.body, a.err, line)
		}
		answers = append(answers, a.body)
	}
	if len(answers) != 3 || !strings.Contains(answers[0], "session_id") || answers[1] != "" || strings.TrimSpace(answers[2]) != `{"active":false}` {
		t.Errorf("the demonstration answers %q", answers)
	}
}

// TestFilesAreTheOwnersOnly covers the data directory and what stands in it.
func TestFilesAreTheOwnersOnly(t *testing.T) {
	t.Parallel()
	s := newSetup(t, "")
	i := s.start(t)
	i.mustRegister(newLogin("ada", "one"))
	for name, want := range map[string]os.FileMode{
		"": 0o700 | os.ModeDir, adminTokenFile: 0o600, secretFile: 0o600,
		storeFile: 0o600, storeFile + "-wal": 0o600, brokerDir: 0o700 | os.ModeDir,
	} {
		info, err := os.Stat(s.data(name))
		if err != nil {
			t.Errorf("%q: %v", name, err)
		} else if info.Mode() != want {
			t.Errorf("%q has mode %v, want %v", name, info.Mode(), want)
		}
	}
}

// TestRestartKeepsEverything covers secrets, sessions and logouts.
func TestRestartKeepsEverything(t *testing.T) {
	t.Parallel()
	s := newSetup(t, "")
	i := s.start(t)
	ended, live := newLogin("ada", "ended"), newLogin("ada", "live")
	i.mustRegister(ended, live)
	i.mustLogOut("kratos", ended.session)
	i.kill()
	again := s.start(t)
	if again.token != i.token {
		t.Error("the admin token is another one")
	}
	if again.active(ended.session) || !again.active(live.session) || !again.active(live.refresh) {
		t.Error("the sessions are not what they were")
	}
	if a := again.put("sessions", ended.sessionFields()); a.status != http.StatusConflict {
		t.Errorf("registering the ended session again answers %d, want 409", a.status)
	}
}

var (
	fileContent = regexp.MustCompile(`\$\(cat ([^)]*)\)`)
	shellWord   = regexp.MustCompile(`'([^']*)'|"([^"]*)"|(\S+)`)
)

// curl returns the request that a curl command makes in dir. It knows the
// flags that logoutd prints, and fails the test at any other.
func curl(t *testing.T, dir, command string) *http.Request {
	t.Helper()
	words := shellWords(t, dir, command)[1:]
	request := newRequest("GET", "http://nowhere", "")
	for len(words) > 0 {
		word, value := words[0], ""
		words = words[1:]
		if strings.HasPrefix(word, "-") && !strings.HasSuffix(word, "sS") {
			value, words = words[0], words[1:]
		}
		applyCurl(t, request, word, value)
	}
	return request
}

func applyCurl(t *testing.T, request *http.Request, word, value string) {
	t.Helper()
	switch word {
	case "-sS", "-isS":
	case "-X":
		request.Method = value
	case "-H":
		name, content, _ := strings.Cut(value, ": ")
		request.Header.Set(name, content)
	case "-d":
		if request.Method == http.MethodGet {
			request.Method = "POST"
		}
		if request.Header.Get("Content-Type") == "" {
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		request.Body, request.ContentLength = io.NopCloser(strings.NewReader(value)), int64(len(value))
	default:
		target, err := url.Parse(word)
		if err != nil || request.URL.Host != "nowhere" {
			t.Fatalf("what does %q mean to curl", word)
		}
		request.URL, request.Host = target, target.Host
	}
}

// shellWords parts a command as a shell does that knows quotes and $(cat FILE).
func shellWords(t *testing.T, dir, command string) []string {
	t.Helper()
	command = fileContent.ReplaceAllStringFunc(command, func(match string) string {
		content, err := os.ReadFile(filepath.Join(dir, fileContent.FindStringSubmatch(match)[1]))
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(content))
	})
	var words []string
	for _, match := range shellWord.FindAllStringSubmatch(command, -1) {
		words = append(words, match[1]+match[2]+match[3])
	}
	return words
}
