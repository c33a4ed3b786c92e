package embedded

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/logoutd/logoutd/events"
)

// Subscribers create consumers through the guard, because what a consumer may
// do stands in the body of the request: one that is pushed to a subject would
// write there in the process's own account, be it logout.requests.
const (
	apiPrefix   = "$JS.API."
	guardPrefix = "LOGOUTD.API." // in place of apiPrefix
)

// guardTimeout bounds what the guard asks of JetStream.
const guardTimeout = 5 * time.Second

// guarded are the calls that create consumers.
func guarded() []string {
	const stream = events.StreamEvents
	return []string{"CONSUMER.CREATE." + stream + ".>", "CONSUMER.DURABLE.CREATE." + stream + ".>"}
}

// startGuard answers subscribers that create consumers: a pull consumer is
// created for them, anything else refused.
func (b *Broker) startGuard() error {
	conn, err := b.Connect(events.ConnectConfig{Name: "guard"})
	if err != nil {
		return err
	}
	b.guard = conn
	for _, subject := range guarded() {
		if _, err := conn.Subscribe(guardPrefix+subject, b.create); err != nil {
			return err
		}
	}
	return conn.FlushTimeout(guardTimeout)
}

func (b *Broker) create(msg *nats.Msg) {
	var request server.CreateConsumerRequest
	if err := json.Unmarshal(msg.Data, &request); err != nil {
		refuse(msg, "the request cannot be read")
		return
	}
	if request.Config.DeliverSubject != "" {
		refuse(msg, "push consumers are not served: create a pull consumer, without deliver_subject")
		return
	}
	forward := nats.NewMsg(apiPrefix + strings.TrimPrefix(msg.Subject, guardPrefix))
	forward.Header, forward.Data = msg.Header, msg.Data
	answer, err := b.guard.RequestMsg(forward, guardTimeout)
	if err != nil {
		return // the subscriber's request times out, as JetStream's would
	}
	_ = msg.Respond(answer.Data)
}

// refuse answers as JetStream's API does.
func refuse(msg *nats.Msg, reason string) {
	body, err := json.Marshal(server.JSApiConsumerCreateResponse{ApiResponse: server.ApiResponse{
		Type:  server.JSApiConsumerCreateResponseType,
		Error: &server.ApiError{Code: 400, Description: reason},
	}})
	if err == nil {
		_ = msg.Respond(body)
	}
}
