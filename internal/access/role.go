package access

// Role is what the holder of a token may do.
type Role string

// Roles.
const (
	Registry Role = "registry" // register what there is to revoke, and introspect
	Viewer   Role = "viewer"   // see everything but the tokens
	Operator Role = "operator" // everything
)

func (r Role) known() bool { return r == Registry || r == Viewer || r == Operator }

// Caller is who presented a token. The zero value may do nothing.
type Caller struct {
	Name string // of the token; of the root token, [RootName]
	Role Role
}

// May reports whether the caller has a role: an operator has every one.
func (c Caller) May(role Role) bool {
	return role.known() && (c.Role == Operator || c.Role == role)
}

// sees reports whether the caller can see and end a session: one of its own
// token, or, as an operator, any.
func (c Caller) sees(s Session) bool { return c.Name == s.Token || c.May(Operator) }
