package sqlitestore

// Blocks of memory, and the slots into which one is divided, in bytes.
const (
	blockSize = 64 << 10
	slotStep  = 16
	maxSlot   = 512
	slotBits  = 12 // blockSize / slotStep slots at most
)

// slab keeps many small pieces of bytes without a pointer to each, which the
// garbage collector would have to follow. A block has slots of one size.
type slab struct {
	limit  int // how many blocks there may be
	blocks []block
	free   [maxSlot/slotStep + 1][]slot // by the size of the slots, in steps
}

type block struct {
	bytes []byte
	steps int // size of a slot
}

// slot is where a piece lies: the number of the block, and in the lowest
// slotBits that within the block.
type slot uint32

// put keeps a copy of the piece. It returns false where there is no room, or
// the piece is too large.
func (s *slab) put(piece []byte) (slot, bool) {
	steps := (len(piece) + slotStep - 1) / slotStep
	if steps >= len(s.free) || len(s.free[steps]) == 0 && !s.grow(steps) {
		return 0, false
	}
	free := s.free[steps]
	p := free[len(free)-1]
	s.free[steps] = free[:len(free)-1]
	copy(s.at(p), piece)
	return p, true
}

// grow adds a block with slots of the size.
func (s *slab) grow(steps int) bool {
	n := len(s.blocks)
	if steps == 0 || n == s.limit {
		return false
	}
	s.blocks = append(s.blocks, block{bytes: make([]byte, blockSize), steps: steps})
	for i := range blockSize / (steps * slotStep) {
		s.free[steps] = append(s.free[steps], slot(n<<slotBits|i))
	}
	return true
}

// at is what the slot holds: the piece, and whatever is behind it.
func (s *slab) at(p slot) []byte {
	b := s.blocks[p>>slotBits]
	size := b.steps * slotStep
	from := int(p&(1<<slotBits-1)) * size
	return b.bytes[from : from+size]
}

// drop makes the slot free.
func (s *slab) drop(p slot) {
	steps := s.blocks[p>>slotBits].steps
	s.free[steps] = append(s.free[steps], p)
}
