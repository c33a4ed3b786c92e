package events

// form goes over the members of an event in the order in which they stand on
// the wire: a [writer] appends them, a [reader] takes them. So what is written
// and read for every logout is described once, beside its struct tags, and
// needs no reflection. A key is given as it stands there, with its quotes and
// what comes before it.
type form interface {
	literal(s string)                      // what always stands there
	text(key string, v *string)            // any string
	optional(key string, v *string)        // left out where it is empty
	time(key string, v *Time)              // null where it is zero
	optionalTime(key string, v *Time)      // left out where it is zero
	optionalTexts(key string, v *[]string) // left out where it is empty
	flag(key string, v *bool)
	history(key string, v *History) // left out where it is zero
}

// formOfEvent is the form of an event; data is that of its data.
func formOfEvent[F form, T any](f F, e *Event[T], data func(F, *T)) {
	f.text(`{"specversion":`, &e.SpecVersion)
	f.text(`,"id":`, &e.ID)
	f.text(`,"source":`, &e.Source)
	f.text(`,"type":`, &e.Type)
	f.time(`,"time":`, &e.Time)
	f.text(`,"datacontenttype":`, &e.DataContentType)
	f.optional(`,"traceparent":`, &e.TraceParent)
	f.literal(`,"data":`)
	data(f, &e.Data)
	f.literal(`}`)
}

func formOfRequest[F form](f F, r *Request) {
	f.text(`{"id":`, &r.ID)
	f.text(`,"dialect":`, &r.Dialect)
	f.text(`,"initiator":`, &r.Initiator)
	f.text(`,"scope":`, &r.Scope)
	f.optional(`,"reason":`, &r.Reason)
	f.optional(`,"session_id":`, &r.SessionID)
	f.optional(`,"user_id":`, &r.UserID)
	f.optional(`,"tenant_id":`, &r.TenantID)
	f.optional(`,"app_id":`, &r.AppID)
	f.optional(`,"device_id":`, &r.DeviceID)
	f.optionalTexts(`,"candidates":`, &r.Candidates)
	f.time(`,"authenticated_at":`, &r.AuthenticatedAt)
	f.time(`,"cutoff":`, &r.Cutoff)
	f.flag(`,"fenced":`, &r.Fenced)
	f.time(`,"requested_at":`, &r.RequestedAt)
	f.optionalTime(`,"appended_at":`, &r.AppendedAt)
	f.history(`,"history":`, &r.History)
	f.literal(`}`)
}

// formOfRevoked is only written: subscribers read with a library of theirs.
func formOfRevoked(w *writer, r *Revoked) {
	w.text(`{"scope":`, &r.Scope)
	w.text(`,"request_id":`, &r.RequestID)
	w.text(`,"dialect":`, &r.Dialect)
	w.text(`,"initiator":`, &r.Initiator)
	w.optional(`,"reason":`, &r.Reason)
	w.optional(`,"user_id":`, &r.UserID)
	w.optional(`,"tenant_id":`, &r.TenantID)
	w.optional(`,"app_id":`, &r.AppID)
	w.optional(`,"device_id":`, &r.DeviceID)
	w.texts(`,"session_ids":`, r.SessionIDs)
	w.flag(`,"truncated":`, &r.Truncated)
	w.time(`,"revoked_before":`, &r.RevokedBefore)
	w.number(`,"refresh_tokens":`, int64(r.RefreshTokens))
	w.number(`,"push_registrations":`, int64(r.PushRegistrations))
	w.time(`,"requested_at":`, &r.RequestedAt)
	w.time(`,"completed_at":`, &r.CompletedAt)
	w.number(`,"denylist_ttl_seconds":`, r.DenylistTTLSeconds)
	w.literal(`}`)
}
