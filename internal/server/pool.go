package server

import (
	"container/list"
	"net"
	"net/http"
	"net/netip"
	"sync"
)

// pool is the open connections of a listener.
type pool struct {
	most    int // 0: no limit
	exempt  func(netip.Addr) bool
	metrics *metrics

	mu     sync.Mutex
	closed bool
	open   int
	idle   list.List // of *conn, idle longest first
	peers  map[netip.Addr]*peer
}

// peer is the connections of one address.
type peer struct {
	addr netip.Addr
	open int
	idle list.List
}

// admit takes a new connection in, if there is room or can be made.
func (p *pool) admit(c *conn) bool {
	addr := addressOf(c.raw)
	p.mu.Lock()
	defer p.mu.Unlock()
	from := p.peers[addr]
	if from == nil {
		from = &peer{addr: addr}
	}
	switch {
	case p.closed:
		return false
	case p.most == 0:
	case from.open >= max(1, p.most/2) && !p.exempt(addr) && !p.closeOldest(&from.idle):
		p.metrics.refusedAddress.Inc()
		return false
	case p.open >= p.most && !p.closeOldest(&p.idle):
		p.metrics.refusedTotal.Inc()
		return false
	}
	p.peers[addr] = from
	c.peer = from
	from.open++
	p.open++
	p.rest(c)
	return true
}

func addressOf(c net.Conn) netip.Addr {
	tcp, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().WithZone("").Unmap()
}

// closeOldest closes the connection that has been idle longest, if any is.
func (p *pool) closeOldest(idle *list.List) bool {
	oldest := idle.Front()
	if oldest == nil {
		return false
	}
	p.metrics.closedForRoom.Inc()
	p.drop(oldest.Value.(*conn))
	return true
}

// drop closes without a farewell in TLS, which could block.
func (p *pool) drop(c *conn) {
	p.forget(c)
	_ = c.raw.Close()
}

// observe is told by net/http whether a handler runs.
func (p *pool) observe(nc net.Conn, state http.ConnState) {
	c := nc.(*conn)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case c.removed:
	case state == http.StateActive:
		p.work(c)
	case state == http.StateIdle:
		p.work(c)
		p.rest(c)
	}
}

func (p *pool) rest(c *conn) {
	c.idle, c.idleOfPeer = p.idle.PushBack(c), c.peer.idle.PushBack(c)
}

func (p *pool) work(c *conn) {
	if c.idle != nil {
		p.idle.Remove(c.idle)
		c.peer.idle.Remove(c.idleOfPeer)
		c.idle, c.idleOfPeer = nil, nil
	}
}

func (p *pool) remove(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget(c)
}

func (p *pool) forget(c *conn) {
	if c.removed || c.peer == nil {
		return
	}
	c.removed = true
	p.work(c)
	p.open--
	if c.peer.open--; c.peer.open == 0 {
		delete(p.peers, c.peer.addr)
	}
}

// close closes what is idle and admits no more: net/http would wait 5 s for a
// connection that has sent nothing.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for p.idle.Len() > 0 {
		p.drop(p.idle.Front().Value.(*conn))
	}
}

// count returns how many connections are busy and idle.
func (p *pool) count() (active, idle int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open - p.idle.Len(), p.idle.Len()
}
