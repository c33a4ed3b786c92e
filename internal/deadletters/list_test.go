package deadletters_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/logoutd/logoutd/internal/deadletters"
)

// crowd returns n letters that share everything with many others, also their
// times.
func crowd(n int) []deadletters.Letter {
	var all []deadletters.Letter
	for i := range n {
		at := noon.Add(time.Duration(i/3) * time.Second)
		all = append(all, deadletters.Letter{
			Seq: uint64(i + 1), ID: fmt.Sprintf("l%d", i), Step: pick(i, "push", "push", "revoke"),
			Target: pick(i, "apns", "fcm", ""), Code: pick(i/2, "http_500", "timeout"), Error: fmt.Sprintf("error %d", i),
			Attempts: i%5 + 1, FailedAt: at, FirstFailedAt: at,
			TenantID: pick(i/4, "", "a", "b"), AppID: pick(i/5, "mail", "chat"), UserID: pick(i, "u1", "u2", "u3", "", "u5"),
			DeviceID: pick(i, "d1", "d2", "d3", "d4"), SessionID: pick(i, "s1", "s2"), RequestID: pick(i, "r1", "r2"),
		})
	}
	return all
}

func pick(i int, of ...string) string { return of[i%len(of)] }

// filters returns the combinations of up to three filters, which all tell
// letters of the crowd apart, and of all.
func filters() []deadletters.Filter {
	sets := []func(*deadletters.Filter){
		func(f *deadletters.Filter) { f.From = noon.Add(4*time.Second - time.Microsecond) },
		func(f *deadletters.Filter) { f.To = noon.Add(11 * time.Second) },
		func(f *deadletters.Filter) { f.Step = "push" },
		func(f *deadletters.Filter) { f.Target = "apns" },
		func(f *deadletters.Filter) { f.Code = "timeout" },
		func(f *deadletters.Filter) { f.Tenant = "a" },
		func(f *deadletters.Filter) { f.App = "chat" },
		func(f *deadletters.Filter) { f.User = "u2" },
		func(f *deadletters.Filter) { f.Device = "d2" },
		func(f *deadletters.Filter) { f.MinAttempts = 2 },
		func(f *deadletters.Filter) { f.MaxAttempts = 3 },
	}
	var all []deadletters.Filter
	for chosen := range uint(1) << len(sets) {
		if n := bits.OnesCount(chosen); n > 3 && n < len(sets) {
			continue
		}
		var f deadletters.Filter
		for i, set := range sets {
			if chosen>>i&1 == 1 {
				set(&f)
			}
		}
		all = append(all, f)
	}
	return append(all, deadletters.Filter{Step: "never"}, deadletters.Filter{User: "never"}, deadletters.Filter{Tenant: "' OR 1=1 --"})
}

// selects is what a filter means.
func selects(f deadletters.Filter, l deadletters.Letter) bool {
	return (f.From.IsZero() || !l.FailedAt.Before(f.From)) && (f.To.IsZero() || l.FailedAt.Before(f.To)) &&
		(f.Step == "" || f.Step == l.Step) && (f.Target == "" || f.Target == l.Target) && (f.Code == "" || f.Code == l.Code) &&
		(f.Tenant == "" || f.Tenant == l.TenantID) && (f.App == "" || f.App == l.AppID) &&
		(f.User == "" || f.User == l.UserID) && (f.Device == "" || f.Device == l.DeviceID) &&
		(f.MinAttempts == 0 || l.Attempts >= f.MinAttempts) && (f.MaxAttempts == 0 || l.Attempts <= f.MaxAttempts)
}

func newestFirst(a, b deadletters.Letter) int {
	return cmp.Or(b.FailedAt.Compare(a.FailedAt), cmp.Compare(b.Seq, a.Seq))
}

// groupsOf groups letters that are newest first.
func groupsOf(of []deadletters.Letter) []deadletters.Group {
	var groups []deadletters.Group
	users := map[string]bool{}
	for _, l := range of {
		at := slices.IndexFunc(groups, func(g deadletters.Group) bool {
			return g.Step == l.Step && g.Target == l.Target && g.Code == l.Code
		})
		if at < 0 {
			at, groups = len(groups), append(groups, deadletters.Group{
				Step: l.Step, Target: l.Target, Code: l.Code, Last: l.FailedAt, SampleID: l.ID, SampleError: l.Error,
			})
		}
		g := &groups[at]
		g.Count, g.First = g.Count+1, l.FailedAt
		if user := fmt.Sprint(at, l.TenantID, "/", l.UserID); l.UserID != "" && !users[user] {
			users[user], g.Users = true, g.Users+1
		}
	}
	slices.SortFunc(groups, func(a, b deadletters.Group) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), b.Last.Compare(a.Last),
			strings.Compare(a.Step, b.Step), strings.Compare(a.Target, b.Target), strings.Compare(a.Code, b.Code))
	})
	return groups
}

// filled returns a projection of the letters, beside any stream.
func filled(t *testing.T, all []deadletters.Letter) *deadletters.Letters {
	t.Helper()
	l, err := deadletters.Open(deadletters.Config{Path: t.TempDir() + "/letters.db"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	half := len(all) / 2
	if err := l.Put(all[:half]); err != nil {
		t.Fatal(err)
	}
	if err := l.Put(all[half:]); err != nil {
		t.Fatal(err)
	}
	return l
}

// Answers are the same once some have been taken out again.
func TestEachFilterSelectsWhatItSays(t *testing.T) {
	t.Parallel()
	all := crowd(60)
	l := filled(t, all)
	l.Forget([]uint64{1, 17, 18, 60})
	all = slices.DeleteFunc(all, func(l deadletters.Letter) bool { return slices.Contains([]uint64{1, 17, 18, 60}, l.Seq) })
	for _, f := range filters() {
		wantAnswers(t, l, f, all)
	}
}

// wantAnswers compares all answers about a filter with what it means.
func wantAnswers(t *testing.T, l *deadletters.Letters, f deadletters.Filter, all []deadletters.Letter) {
	t.Helper()
	ctx := context.Background()
	var want, selected []deadletters.Letter
	for _, letter := range all {
		if selects(f, letter) {
			want = append(want, letter)
		}
	}
	err := l.Select(ctx, f, func(l deadletters.Letter) error { selected = append(selected, l); return nil })
	if diff := gocmp.Diff(want, selected); diff != "" || err != nil {
		t.Fatalf("select %+v: %v %s", f, err, diff)
	}
	slices.SortFunc(want, newestFirst)
	page, err := l.List(ctx, f, "", 100)
	if diff := gocmp.Diff(deadletters.Page{Letters: want, Total: len(want)}, page); diff != "" || err != nil {
		t.Fatalf("list %+v: %v %s", f, err, diff)
	}
	if n, err := l.Count(ctx, f); n != len(want) || err != nil {
		t.Fatalf("count %+v: %d, %v, want %d", f, n, err, len(want))
	}
	groups, err := l.Groups(ctx, f)
	if diff := gocmp.Diff(groupsOf(want), groups); diff != "" || err != nil {
		t.Fatalf("groups %+v: %v %s", f, err, diff)
	}
}

func TestPagesHoldTogether(t *testing.T) {
	t.Parallel()
	all := crowd(60)
	l := filled(t, all)
	slices.SortFunc(all, newestFirst)
	for _, limit := range []int{0, 1, 2, 7, 20, 59, 60, 61} {
		var got []deadletters.Letter
		for after := ""; ; {
			page, err := l.List(t.Context(), deadletters.Filter{}, after, limit)
			if err != nil || page.Total != len(all) || len(page.Letters) > max(limit, 1) {
				t.Fatalf("page of %d: %d letters of %d, %v", limit, len(page.Letters), page.Total, err)
			}
			got = append(got, page.Letters...)
			if after = page.Next; after == "" {
				break
			}
		}
		if diff := gocmp.Diff(all, got); diff != "" {
			t.Fatalf("pages of %d: %s", limit, diff)
		}
	}
}

// Whoever goes through the pages sees every letter that was there all the
// time, once, whatever comes and goes.
func TestPagesWhileLettersComeAndGo(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.putMany(0, 40)
	w.settle()
	seen := map[uint64]int{}
	next := 40
	for after := ""; ; {
		page, err := w.List(t.Context(), deadletters.Filter{}, after, 7)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range page.Letters {
			seen[l.Seq]++
		}
		if after = page.Next; after == "" {
			break
		}
		last := page.Letters[len(page.Letters)-1].Seq
		gone := []uint64{last, last - 1} // also that which the place is named after
		w.remove(gone...)
		w.Forget(gone)
		w.putMany(next, next+5)
		next += 5
		w.settle()
	}
	for _, seq := range w.held() {
		if times := seen[seq]; times != 1 && seq <= 40 || times > 1 {
			t.Errorf("letter %d was seen %d times", seq, times)
		}
	}
}

func TestSelectEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	l := filled(t, crowd(10))
	enough := errors.New("enough")
	n := 0
	err := l.Select(t.Context(), deadletters.Filter{}, func(deadletters.Letter) error {
		if n++; n == 3 {
			return enough
		}
		_, err := l.Count(t.Context(), deadletters.Filter{}) // may be asked meanwhile
		return err
	})
	if !errors.Is(err, enough) || n != 3 {
		t.Errorf("error %v after %d letters", err, n)
	}
}

func TestLettersOfOne(t *testing.T) {
	t.Parallel()
	all := []deadletters.Letter{
		{Seq: 1, ID: "r_1", RequestID: "r", UserID: "u", TenantID: "a", SessionID: "s"},
		{Seq: 2, ID: "r", RequestID: "r", UserID: "u", SessionID: "s"},
		{Seq: 3, ID: "r_1_2", RequestID: "r_1", UserID: "u", TenantID: "b", SessionID: "other"},
		{Seq: 4, ID: "ra", RequestID: "ra"},
		{Seq: 5, ID: "r_3", RequestID: "r", UserID: "other", TenantID: "a", SessionID: "s"},
		{Seq: 6, ID: "r-1", RequestID: "r-1"},
	}
	for i := range all {
		all[i].Step, all[i].FailedAt = "push", noon
	}
	l := filled(t, all)
	for name, tt := range map[string]struct {
		ask  func(limit int) ([]deadletters.Letter, error)
		want []uint64
	}{
		"user of a tenant": {func(limit int) ([]deadletters.Letter, error) { return l.OfUser(t.Context(), "a", "u", limit) }, []uint64{1}},
		"user of none":     {func(limit int) ([]deadletters.Letter, error) { return l.OfUser(t.Context(), "", "u", limit) }, []uint64{2}},
		"session":          {func(limit int) ([]deadletters.Letter, error) { return l.OfSession(t.Context(), "s", limit) }, []uint64{5, 2, 1}},
		"request":          {func(limit int) ([]deadletters.Letter, error) { return l.OfRequest(t.Context(), "r", limit) }, []uint64{5, 2, 1}},
		"longer request":   {func(limit int) ([]deadletters.Letter, error) { return l.OfRequest(t.Context(), "r_1", limit) }, []uint64{3}},
		"nobody":           {func(limit int) ([]deadletters.Letter, error) { return l.OfSession(t.Context(), "?", limit) }, nil},
		"ids": {func(int) ([]deadletters.Letter, error) {
			return l.ByIDs(t.Context(), []string{"ra", "r_1", "r_1", "%", `"`})
		}, []uint64{1, 4}},
		"no ids": {func(int) ([]deadletters.Letter, error) { return l.ByIDs(t.Context(), nil) }, nil},
	} {
		for _, limit := range []int{10, 2} {
			want := tt.want[:min(limit, len(tt.want))]
			got, err := tt.ask(limit)
			var seqs []uint64
			for _, l := range got {
				seqs = append(seqs, l.Seq)
			}
			if err != nil || !slices.Equal(want, seqs) {
				t.Errorf("%s, limit %d: letters %v, %v, want %v", name, limit, seqs, err, want)
			}
		}
	}
}

func FuzzCursor(f *testing.F) {
	l, err := deadletters.Open(deadletters.Config{Path: f.TempDir() + "/letters.db"})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = l.Close() })
	if err := l.Put(crowd(5)); err != nil {
		f.Fatal(err)
	}
	page, err := l.List(context.Background(), deadletters.Filter{}, "", 2)
	if err != nil || page.Next == "" {
		f.Fatal(page, err)
	}
	f.Add(page.Next)
	for _, text := range []string{"x", "0", "=", page.Next + "A", page.Next[1:], page.Next + "\n", strings.ToLower(page.Next), "' OR 1", "\x00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, after string) {
		page, err := l.List(t.Context(), deadletters.Filter{}, after, 10)
		switch {
		case err == nil && page.Total == 5:
		case errors.Is(err, deadletters.ErrCursor) && page.Letters == nil:
		default:
			t.Errorf("%q: %+v, %v", after, page, err)
		}
	})
}

func TestCursorsThatNobodyMade(t *testing.T) {
	t.Parallel()
	l := filled(t, crowd(9))
	page, err := l.List(t.Context(), deadletters.Filter{}, "", 2)
	if err != nil {
		t.Fatal(err)
	}
	good := page.Next
	for _, after := range []string{"x", "1", good[1:], good + "A", good + "=", good + "\n", " " + good, strings.Repeat("A", len(good)), strings.Repeat("_", len(good))} {
		if _, err := l.List(t.Context(), deadletters.Filter{}, after, 2); !errors.Is(err, deadletters.ErrCursor) {
			t.Errorf("%q: %v, want ErrCursor", after, err)
		}
	}
	if page, err := l.List(t.Context(), deadletters.Filter{}, good, 2); err != nil || len(page.Letters) != 2 {
		t.Errorf("%q: %+v, %v", good, page, err)
	}
}
