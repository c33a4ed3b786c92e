package events

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fill sets every field that stands on the wire to something else than zero.
func fill(v reflect.Value, n *int64) {
	*n++
	switch {
	case v.Type() == reflect.TypeFor[Time]():
		v.Set(reflect.ValueOf(At(time.UnixMilli(*n * 1e11))))
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Tag.Get("json") != "-" {
				fill(v.Field(i), n)
			}
		}
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	case v.Kind() == reflect.String:
		v.SetString(v.Type().Name() + string(rune('a'+*n)))
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	default:
		v.SetInt(*n)
	}
}

// expectForm fails unless an event is written as encoding/json does.
func expectForm[T any](t *testing.T, e Event[T], encoder *encoder[T]) []byte {
	t.Helper()
	want, wantErr := json.Marshal(e)
	got, err := encoder.encode(e)
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("error %v, that of encoding/json is %v", err, wantErr)
	}
	if diff := cmp.Diff(string(want), string(got)); err == nil && diff != "" {
		t.Fatalf("as encoding/json (-) and as written (+):\n%s", diff)
	}
	return got
}

// expectRead fails unless a reader takes what is written, as encoding/json
// does.
func expectRead(t *testing.T, body []byte) {
	t.Helper()
	got, ok := readRequests(body)
	if !ok {
		t.Fatalf("not taken: %s", body)
	}
	var want []Event[Request]
	if err := json.Unmarshal(body, &want); err != nil {
		t.Fatalf("taken, but encoding/json says: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("as encoding/json (-) and as read (+):\n%s", diff)
	}
}

func TestFormsHoldEveryField(t *testing.T) {
	t.Parallel()
	var n int64
	var request Event[Request]
	fill(reflect.ValueOf(&request).Elem(), &n)
	expectForm(t, request, &requestEncoder)
	request.Data.History = History{}
	expectRead(t, append(append([]byte{'['}, expectForm(t, request, &requestEncoder)...), ']'))
	expectForm(t, Event[Request]{}, &requestEncoder)

	var revoked Event[Revoked]
	fill(reflect.ValueOf(&revoked).Elem(), &n)
	expectForm(t, revoked, &revokedEncoder)
	expectForm(t, Event[Revoked]{}, &revokedEncoder)
	revoked.Data.SessionIDs = []string{}
	expectForm(t, revoked, &revokedEncoder)
}

// FuzzWrite compares what is written with encoding/json.
func FuzzWrite(f *testing.F) {
	f.Add("plain", "", int64(0), false)
	f.Add(`"\/<&>`, "\x00\n\t\x1f\x7f", int64(1), true)
	f.Add("ü\u2028\u2029\U0001f600", "\xff\xed\xa0\x80", time.Now().UnixMilli(), true)
	f.Add("early", "late", int64(-62135596800000-1), false)
	f.Add("early", "late", int64(253402300800000), false)
	f.Fuzz(func(t *testing.T, a, b string, ms int64, yes bool) {
		at := Time{time.UnixMilli(ms).In(time.FixedZone("", int(ms%50000)))}
		request := newEvent(a, TypeRequested, at, b, Request{
			ID: a, UserID: b, Reason: a + b, Cutoff: at, Fenced: yes, History: History{Error: b},
		})
		expectForm(t, request, &requestEncoder)
		expectForm(t, newEvent(a, b, at, a, Revoked{
			Scope: a, Reason: b, SessionIDs: []string{a, b}, Truncated: yes, RevokedBefore: at,
			RefreshTokens: int(ms), DenylistTTLSeconds: ms,
		}), &revokedEncoder)
	})
}

// FuzzRead compares what is read with encoding/json, which reads the rest.
func FuzzRead(f *testing.F) {
	msg, err := requestBatch("m", []Request{usual(1), {ID: "x", Reason: "ü", TraceParent: "t"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(msg.Data)
	f.Add(append(msg.Data, ' '))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, ok := readRequests(body); ok {
			expectRead(t, body)
		}
	})
}
