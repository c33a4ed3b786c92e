package console

import (
	"math"
	"net/url"
	"strconv"
	"time"

	"github.com/logoutd/logoutd/internal/jobs"
)

// pace is a selectable rate, with the duration of the job at that rate.
type pace struct {
	Value, Label, Takes string
}

var defaultPace = strconv.Itoa(jobs.DefaultRate)

const ownPace = "own"

func paces(n int) []pace {
	all := []pace{
		{Value: "10", Label: "Gentle: 10 per second"},
		{Value: defaultPace, Label: "Steady: " + defaultPace + " per second"},
		{Value: "250", Label: "Brisk: 250 per second"},
		{Value: "0", Label: "Unlimited", Takes: "as fast as possible"},
	}
	for i := range all[:3] {
		rate, _ := strconv.ParseFloat(all[i].Value, 64)
		all[i].Takes = "about " + long(time.Duration(math.Ceil(float64(n)/rate))*time.Second)
	}
	return all
}

// maxRate is above what any broker can do.
const maxRate = 1e6

// readRate reads the selected rate.
func readRate(form url.Values) (rate float64, fault string) {
	text := form.Get("rate")
	if text == ownPace {
		text = form.Get("own_rate")
	} else if text == "0" {
		return 0, ""
	}
	rate, err := strconv.ParseFloat(text, 64)
	if err != nil || !(rate > 0 && rate <= maxRate) {
		return 0, "Choose a rate, or enter a number per second such as 20."
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
