package forwarded

import (
	"net/http"
	"net/netip"
	"strings"
)

// hop is what one proxy says of the request that it got.
type hop struct {
	addr   netip.Addr // who sent it; invalid: hidden, or unreadable
	proto  string     // by which protocol; empty: not told
	silent bool       // nothing is told of who sent it
}

// unreadable is the list of a header that cannot be read: the walk ends at the
// proxy that sent it.
var unreadable = []hop{{}}

// fromX reads X-Forwarded-For and X-Forwarded-Proto. Where every proxy adds to
// the second too, both lists have the same length from the right; a proxy that
// only passes the second on leaves it shorter, and its first element is the
// client's.
func fromX(header http.Header) []hop {
	addrs, protos := list(header["X-Forwarded-For"]), list(header["X-Forwarded-Proto"])
	if len(addrs)+len(protos) == 0 {
		return nil
	}
	if len(addrs) == 0 {
		return []hop{{proto: protos[len(protos)-1], silent: true}}
	}
	hops := make([]hop, len(addrs))
	for i, text := range addrs {
		hops[i].addr = node(text)
		if len(protos) > 0 {
			hops[i].proto = protos[max(0, i+len(protos)-len(addrs))]
		}
	}
	return hops
}

// list returns the elements of a header that is a list, over all its lines
// (RFC 9110, section 5.6.1: empty ones do not count).
func list(lines []string) []string {
	var elements []string
	for _, line := range lines {
		for element := range strings.SplitSeq(line, ",") {
			if element = strings.Trim(element, " \t"); element != "" {
				elements = append(elements, element)
			}
		}
	}
	return elements
}

// fromForwarded reads Forwarded. A line that breaks the grammar makes all of
// it unreadable: a quotation mark that a client leaves open would otherwise
// swallow what the proxy has added behind it.
func fromForwarded(header http.Header) []hop {
	var hops []hop
	for _, line := range header["Forwarded"] {
		read, ok := elements(line)
		if !ok {
			return unreadable
		}
		hops = append(hops, read...)
	}
	return hops
}

// elements reads one line of Forwarded (RFC 7239, section 4): elements
// separated by commas, each of pairs separated by semicolons.
func elements(line string) (hops []hop, ok bool) {
	var current hop
	seen := map[string]bool{}
	for {
		name, value, rest, found, ok := pair(line)
		if !ok || found && seen[name] {
			return nil, false
		}
		if found {
			seen[name] = true
			current.take(name, value)
		}
		if (rest == "" || rest[0] == ',') && len(seen) > 0 {
			current.silent = !seen["for"]
			hops, current = append(hops, current), hop{}
			clear(seen)
		}
		if rest == "" {
			return hops, true
		}
		line = rest[1:]
	}
}

func (h *hop) take(name, value string) {
	switch name {
	case "for":
		h.addr = node(value)
	case "proto":
		h.proto = value
	}
}

// pair reads "name=value", where the value may be quoted, up to the separator
// that rest begins with. An empty pair is allowed, and not found.
func pair(line string) (name, value, rest string, found, ok bool) {
	line = strings.TrimLeft(line, " \t")
	if line == "" || line[0] == ',' || line[0] == ';' {
		return "", "", line, false, true
	}
	end := strings.IndexAny(line, "=,;\"")
	if end < 1 || line[end] != '=' {
		return "", "", "", false, false
	}
	name = strings.ToLower(strings.TrimRight(line[:end], " \t"))
	line = strings.TrimLeft(line[end+1:], " \t")
	if strings.HasPrefix(line, `"`) {
		value, rest, ok = quoted(line[1:])
	} else {
		end = strings.IndexAny(line+",", ",;")
		value, rest, ok = strings.TrimRight(line[:end], " \t"), line[end:], !strings.Contains(line[:end], `"`)
	}
	rest = strings.TrimLeft(rest, " \t")
	return name, value, rest, true, ok && (rest == "" || rest[0] == ',' || rest[0] == ';')
}

// quoted reads a quoted-string behind its first mark (RFC 9110, section 5.6.4).
func quoted(text string) (value, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			return b.String(), text[i+1:], true
		case '\\':
			if i++; i == len(text) {
				return "", "", false
			}
		}
		b.WriteByte(text[i])
	}
	return "", "", false
}
