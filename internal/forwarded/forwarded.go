package forwarded

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// Client is where a request comes from.
type Client struct {
	// Addr is the nearest address that is known to be right: the client's, or,
	// where a trusted proxy hides it, that proxy's. It has no zone, and is IPv4
	// where it was IPv4 in IPv6. It is invalid where the connection has no IP
	// address.
	Addr netip.Addr
	// HTTPS reports whether the client used HTTPS.
	HTTPS bool
}

// String returns the address, or "unknown".
func (c Client) String() string {
	if !c.Addr.IsValid() {
		return "unknown"
	}
	return c.Addr.String()
}

// Proxies are the addresses of the proxies that are trusted. The zero value
// trusts none.
type Proxies []netip.Prefix

// Parse reads addresses and networks in CIDR notation. The error names all
// that are neither.
func Parse(list []string) (Proxies, error) {
	var proxies Proxies
	var faults []error
	for _, text := range list {
		prefix, err := parsePrefix(strings.TrimSpace(text))
		if err != nil {
			faults = append(faults, fmt.Errorf("%q is neither an IP address nor a network such as 10.0.0.0/8 or 2001:db8::/32", text))
			continue
		}
		proxies = append(proxies, prefix)
	}
	return proxies, errors.Join(faults...)
}

// ipv4Bits is the length of the prefix that marks IPv4 in IPv6 (RFC 4291,
// section 2.5.5.2).
const ipv4Bits = 96

func parsePrefix(text string) (netip.Prefix, error) {
	if !strings.Contains(text, "/") {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return netip.Prefix{}, err
		}
		addr = addr.WithZone("").Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err == nil && prefix.Addr().Is4In6() && prefix.Bits() >= ipv4Bits {
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-ipv4Bits)
	}
	return prefix.Masked(), err
}

// Trusts reports whether an address is that of a trusted proxy.
func (p Proxies) Trusts(addr netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// Client returns where a request comes from.
func (p Proxies) Client(r *http.Request) Client {
	direct := Client{Addr: peer(r.RemoteAddr), HTTPS: r.TLS != nil}
	if !p.Trusts(direct.Addr) {
		return direct
	}
	standard, legacy := p.walk(direct.Addr, fromForwarded(r.Header)), p.walk(direct.Addr, fromX(r.Header))
	return Client{Addr: agreed(standard.addr, legacy.addr, direct.Addr), HTTPS: agreed(standard.https, legacy.https, direct.HTTPS)}
}

// agreed returns what two kinds of headers say, nil where one says nothing, or
// without is where neither says something, or they contradict each other.
func agreed[T comparable](standard, legacy *T, without T) T {
	switch {
	case standard != nil && legacy != nil && *standard != *legacy, standard == nil && legacy == nil:
		return without
	case standard != nil:
		return *standard
	default:
		return *legacy
	}
}

// claim is what one kind of headers says of the client; nil: nothing.
type claim struct {
	addr  *netip.Addr
	https *bool
}

// walk returns what a list of hops says of the client. An element that names no
// address ends the walk: it is not known to be a trusted proxy.
func (p Proxies) walk(addr netip.Addr, hops []hop) (c claim) {
	for i := len(hops) - 1; i >= 0 && p.Trusts(addr); i-- {
		if hops[i].proto != "" {
			https := strings.EqualFold(hops[i].proto, "https")
			c.https = &https
		}
		if hops[i].silent {
			break
		}
		if !hops[i].addr.IsValid() {
			c.addr = &addr
			break
		}
		addr = hops[i].addr
		c.addr = &addr
	}
	return c
}

// peer returns the address in a RemoteAddr of net/http.
func peer(remote string) netip.Addr {
	addr, err := netip.ParseAddrPort(remote)
	if err != nil {
		return node(remote)
	}
	return addr.Addr().WithZone("").Unmap()
}

// node returns the address of a node: IPv4, or IPv6 with or without brackets,
// with or without a port. It is invalid for "unknown" and for obfuscated
// identifiers (RFC 7239, section 6).
func node(text string) netip.Addr {
	if bracketed, ok := strings.CutPrefix(text, "["); ok {
		inner, rest, closed := strings.Cut(bracketed, "]")
		if !closed || rest != "" && !strings.HasPrefix(rest, ":") {
			return netip.Addr{}
		}
		text = inner
	} else if strings.Count(text, ":") == 1 {
		text, _, _ = strings.Cut(text, ":")
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}
	}
	return addr.WithZone("").Unmap()
}
