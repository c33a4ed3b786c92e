package embedded

import "testing"

// No client can see it, and no test short of a power failure: so ask the
// server what it does.
func TestEveryMessageIsSynced(t *testing.T) {
	t.Parallel()
	b, err := Start(Config{Dir: t.TempDir(), Listen: "-"})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	varz, err := b.server.Varz(nil)
	if err != nil {
		t.Fatal(err)
	}
	if config := varz.JetStream.Config; config == nil || !config.SyncAlways {
		t.Errorf("JetStream runs with %+v, want SyncAlways", config)
	}
}
