package console

import (
	"math"
	"net/url"
	"strconv"
	"time"

	"github.com/logoutd/logoutd/internal/jobs"
)

// pace is a rate to choose, and how long the job takes at it.
type pace struct {
	Value, Label, Takes string
}

var defaultPace = strconv.Itoa(jobs.DefaultRate)

const ownPace = "own"

func paces(n int) []pace {
	all := []pace{
		{Value: "10", Label: "Gentle: 10 a second"},
		{Value: defaultPace, Label: "Steady: " + defaultPace + " a second"},
		{Value: "250", Label: "Brisk: 250 a second"},
		{Value: "0", Label: "No limit", Takes: "as fast as it goes"},
	}
	for i := range all[:3] {
		rate, _ := strconv.ParseFloat(all[i].Value, 64)
		all[i].Takes = "about " + long(time.Duration(math.Ceil(float64(n)/rate))*time.Second)
	}
	return all
}

// maxRate is more than any broker does.
const maxRate = 1e6

// readRate reads the pace that was chosen.
func readRate(form url.Values) (rate float64, fault string) {
	text := form.Get("rate")
	if text == ownPace {
		text = form.Get("own_rate")
	} else if text == "0" {
		return 0, ""
	}
	rate, err := strconv.ParseFloat(text, 64)
	if err != nil || !(rate > 0 && rate <= maxRate) {
		return 0, "Choose a rate, or give your own as a number a second, such as 20."
	}
	return rate, ""
}

func atoi(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0
	}
	return n
}
