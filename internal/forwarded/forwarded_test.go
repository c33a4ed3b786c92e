package forwarded_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/logoutd/logoutd/internal/forwarded"
)

const proxy = "10.0.0.1:4711"

// cases are requests and where they come from; headers are "Name: value".
var cases = map[string]struct {
	from    string // default: the proxy
	headers []string
	want    string // address, and " https"
}{
	"no headers":           {want: "10.0.0.1"},
	"one address":          {headers: []string{"X-Forwarded-For: 203.0.113.9"}, want: "203.0.113.9"},
	"what a client adds":   {headers: []string{"X-Forwarded-For: 192.0.2.66, 203.0.113.9"}, want: "203.0.113.9"},
	"two proxies":          {headers: []string{"X-Forwarded-For: 192.0.2.66, 203.0.113.9, 10.0.0.2"}, want: "203.0.113.9"},
	"several lines":        {headers: []string{"X-Forwarded-For: 192.0.2.66", "x-forwarded-for: 203.0.113.9", "X-FORWARDED-FOR: 10.0.0.2"}, want: "203.0.113.9"},
	"empty elements":       {headers: []string{"X-Forwarded-For: , 203.0.113.9,, 10.0.0.2 ,"}, want: "203.0.113.9"},
	"proxies only":         {headers: []string{"X-Forwarded-For: 10.0.0.3, 10.0.0.2"}, want: "10.0.0.3"},
	"an address and port":  {headers: []string{"X-Forwarded-For: 203.0.113.9:5678"}, want: "203.0.113.9"},
	"IPv6":                 {headers: []string{"X-Forwarded-For: 2001:db8::9"}, want: "2001:db8::9"},
	"IPv6 in brackets":     {headers: []string{"X-Forwarded-For: [2001:db8::9]"}, want: "2001:db8::9"},
	"IPv6 and a port":      {headers: []string{"X-Forwarded-For: [2001:db8::9]:443, [fd00::2]:1"}, want: "2001:db8::9"},
	"IPv4 in IPv6":         {headers: []string{"X-Forwarded-For: 203.0.113.9, ::ffff:10.0.0.2"}, want: "203.0.113.9"},
	"a zone":               {headers: []string{"X-Forwarded-For: fe80::1%eth0"}, want: "fe80::1"},
	"garbage":              {headers: []string{"X-Forwarded-For: 203.0.113.9, no address"}, want: "10.0.0.1"},
	"garbage behind":       {headers: []string{"X-Forwarded-For: no address, 203.0.113.9"}, want: "203.0.113.9"},
	"hidden in between":    {headers: []string{"X-Forwarded-For: 203.0.113.9, unknown, 10.0.0.2"}, want: "10.0.0.2"},
	"open bracket":         {headers: []string{"X-Forwarded-For: [2001:db8::9"}, want: "10.0.0.1"},
	"strangers":            {from: "192.0.2.1:1", headers: []string{"X-Forwarded-For: 203.0.113.9", "Forwarded: for=203.0.113.9;proto=https", "X-Forwarded-Proto: https"}, want: "192.0.2.1"},
	"a proxy by IPv4-IPv6": {from: "[::ffff:10.0.0.1]:80", headers: []string{"X-Forwarded-For: 203.0.113.9"}, want: "203.0.113.9"},
	"a proxy by IPv6":      {from: "[fd00::1%eth0]:80", headers: []string{"X-Forwarded-For: 203.0.113.9"}, want: "203.0.113.9"},
	"a proxy by itself":    {from: "192.0.2.7:80", headers: []string{"X-Forwarded-For: 203.0.113.9"}, want: "203.0.113.9"},
	"a Unix socket":        {from: "@", headers: []string{"X-Forwarded-For: 203.0.113.9"}, want: "unknown"},

	"HTTPS":                      {headers: []string{"X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https"}, want: "203.0.113.9 https"},
	"HTTPS in capitals":          {headers: []string{"X-Forwarded-Proto: HTTPS"}, want: "10.0.0.1 https"},
	"HTTP":                       {headers: []string{"X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: http"}, want: "203.0.113.9"},
	"HTTPS to the first proxy":   {headers: []string{"X-Forwarded-For: 203.0.113.9, 10.0.0.2", "X-Forwarded-Proto: https, http"}, want: "203.0.113.9 https"},
	"HTTPS between proxies":      {headers: []string{"X-Forwarded-For: 203.0.113.9, 10.0.0.2", "X-Forwarded-Proto: http, https"}, want: "203.0.113.9"},
	"one proto of two proxies":   {headers: []string{"X-Forwarded-For: 203.0.113.9, 10.0.0.2", "X-Forwarded-Proto: https"}, want: "203.0.113.9 https"},
	"a proto that a client adds": {headers: []string{"X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https", "X-Forwarded-Proto: http"}, want: "203.0.113.9"},

	"Forwarded":               {headers: []string{"Forwarded: for=203.0.113.9;proto=https;by=10.0.0.1"}, want: "203.0.113.9 https"},
	"Forwarded in any case":   {headers: []string{`forwarded: FOR="203.0.113.9:80" ; Proto=HTTPS`}, want: "203.0.113.9 https"},
	"Forwarded, a list":       {headers: []string{`Forwarded: for=192.0.2.66, for="[2001:db8::9]:4711";proto=https, For=10.0.0.2;proto=http`}, want: "2001:db8::9 https"},
	"Forwarded, lines":        {headers: []string{`Forwarded: for=192.0.2.66`, `Forwarded: for="[2001:db8::9]"`, `Forwarded: for="[fd00::2]"`}, want: "2001:db8::9"},
	"Forwarded, escapes":      {headers: []string{`Forwarded: for="\2\0\3.0.113.9";ext=",;\""`}, want: "203.0.113.9"},
	"Forwarded, obfuscated":   {headers: []string{`Forwarded: for=203.0.113.9, for=_gateway, for=10.0.0.2`}, want: "10.0.0.2"},
	"Forwarded, unknown":      {headers: []string{`Forwarded: for=unknown;proto=https`}, want: "10.0.0.1 https"},
	"Forwarded, proto only":   {headers: []string{`Forwarded: proto=https`}, want: "10.0.0.1 https"},
	"Forwarded, open quote":   {headers: []string{`Forwarded: for="192.0.2.66, for=203.0.113.9`}, want: "10.0.0.1"},
	"Forwarded, swallowing":   {headers: []string{`Forwarded: for=192.0.2.66;x=", for="[2001:db8::9]"`}, want: "10.0.0.1"},
	"Forwarded, twice for":    {headers: []string{`Forwarded: for=192.0.2.66;for=203.0.113.9`}, want: "10.0.0.1"},
	"Forwarded, no pair":      {headers: []string{`Forwarded: 203.0.113.9`}, want: "10.0.0.1"},
	"Forwarded, empty":        {headers: []string{`Forwarded: `, `X-Forwarded-For: 203.0.113.9`}, want: "203.0.113.9"},
	"both, and they agree":    {headers: []string{`Forwarded: for=203.0.113.9;proto=https`, `X-Forwarded-For: 203.0.113.9`, `X-Forwarded-Proto: https`}, want: "203.0.113.9 https"},
	"both, each with a part":  {headers: []string{`Forwarded: for=203.0.113.9`, `X-Forwarded-Proto: https`}, want: "203.0.113.9 https"},
	"both, a client's second": {headers: []string{`Forwarded: for=192.0.2.66;proto=https`, `X-Forwarded-For: 203.0.113.9`, `X-Forwarded-Proto: http`}, want: "10.0.0.1"},
	"both, one unreadable":    {headers: []string{`Forwarded: for="`, `X-Forwarded-For: 203.0.113.9`}, want: "10.0.0.1"},
}

func TestClient(t *testing.T) {
	t.Parallel()
	proxies, err := forwarded.Parse([]string{"10.0.0.0/8", " fd00::/8 ", "192.0.2.7"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range cases {
		if c.from == "" {
			c.from = proxy
		}
		if got := describe(proxies.Client(request(c.from, c.headers...))); got != c.want {
			t.Errorf("%s: %q from %s is of %q, want %q", name, c.headers, c.from, got, c.want)
		}
	}
}

func request(from string, headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "http://localhost/", nil)
	r.RemoteAddr = from
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ":")
		r.Header.Add(name, strings.TrimSpace(value))
	}
	return r
}

func describe(c forwarded.Client) string {
	if c.HTTPS {
		return c.String() + " https"
	}
	return c.String()
}

// TestTrustingNobody: without a setting nobody's headers count, and TLS of our
// own does.
func TestTrustingNobody(t *testing.T) {
	t.Parallel()
	r := request("127.0.0.1:1", "X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https")
	if got := describe(forwarded.Proxies(nil).Client(r)); got != "127.0.0.1" {
		t.Errorf("the client is %q", got)
	}
	r.TLS = &tls.ConnectionState{}
	if got := describe(forwarded.Proxies(nil).Client(r)); got != "127.0.0.1 https" {
		t.Errorf("with TLS the client is %q", got)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	if _, err := forwarded.Parse([]string{"10.1.2.3/8", "::1", "::ffff:10.0.0.0/104", "0.0.0.0/0"}); err != nil {
		t.Error(err)
	}
	_, err := forwarded.Parse([]string{"10.0.0.0/33", "proxy.example", "", "::1"})
	for _, want := range []string{`"10.0.0.0/33"`, `"proxy.example"`, `""`, "neither an IP address nor a network"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}

// FuzzClient: whatever the headers hold, the address of a request that came
// straight from a stranger is the stranger's.
func FuzzClient(f *testing.F) {
	for _, c := range cases {
		f.Add(strings.Join(c.headers, "\n"))
	}
	proxies, err := forwarded.Parse([]string{"10.0.0.0/8"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		headers := strings.Split(text, "\n")
		if got := describe(proxies.Client(request("192.0.2.1:1", headers...))); got != "192.0.2.1" {
			t.Errorf("%q makes a stranger %q", headers, got)
		}
		if got := proxies.Client(request(proxy, headers...)); !got.Addr.IsValid() || got.Addr.Zone() != "" {
			t.Errorf("%q leads to %v", headers, got)
		}
	})
}
