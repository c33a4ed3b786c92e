package status

// What operators are told, in sentences.
const (
	noStore  = "The store could not be asked: what is live is not known."
	noBroker = "The broker could not be asked: pending requests and events are not considered."

	manyHolders    = "There are more users than the 20,000 that were looked at: a user of this id may be logged in, in another tenant. Name the tenant."
	notFoundForNow = "Nothing was found where it could be looked. That there is nothing is not known: ask again once everything can be asked."

	manyPending   = "More than 100,000 requests are pending; only the oldest were looked at."
	lettersBehind = "The list of dead letters is still being read: more may have failed than is shown."

	manyDeliveries = "More than 100,000 deliveries are waiting, or they could not be read in time: whether every target was told is not known."
	manyEvents     = "There are more than the 100,000 events that were looked at, or they could not be read in time: earlier logouts are not known."
	untold         = "It is not done before each target was told."
	notAsked       = "Whether every target was told is not known."
	userLoggedOut  = "The latest logout found is done. What it covered is revoked; see its scope."

	told = "Done: everything that it covers is revoked, and the event that says so was published."
	// The store's own record of it.
	recorded = "Done: the store has recorded that everything that it covers is revoked. " +
		"Its event was not found: it is older than 72 hours, or not among the 100,000 that were looked at."
	targetsUntold = "Users and sessions are logged out all the same: what failed is to tell a push provider. Replay the dead letter for that."
	notRevoked    = "The logout was given up before it was done: replay the dead letter."

	waiting         = "Accepted: the session or user that it names is dead in every check already. A worker has still to revoke what else it covers, and to tell of it."
	waitingUnfenced = "Accepted, but the store did not answer then: what it covers may stay live until a worker has done it."
	fencedOnly      = "The session is dead in every check. That a worker has done the rest is recorded nowhere that was looked: " +
		"it waits behind more than 100,000 other requests, or its records are no longer kept."
	endedByAnother = "The session had ended already, by another logout or by itself: see revoked_by. Nothing is known of this request."

	live             = "The session is live, and no logout of it is known."
	liveAndWaiting   = "The session is live. A logout that covers it was accepted and waits for a worker."
	expired          = "The session expired by itself; no logout has ended it."
	overtaken        = "The session is dead: a logout of the whole user or device, up to a time after this login, covers it. Search for the user to see up to when."
	neverHeard       = "The store does not know the session: it was never registered, or its record is no longer kept (72 hours after everything bound to it has expired, unless set otherwise)."
	userLive         = "Something of the user is live: what was authenticated after the cutoff, or was never covered by a logout."
	userSome         = "The user holds more than 1,000 records of a kind: what is listed is live, and there may be more."
	userLiveNoLogins = "No session is live, but a refresh token or a push registration is."
	userNothing      = "Nothing of the user is live: no session, refresh token or push registration."
	userRevoked      = "A logout of the whole user has revoked everything up to the cutoff, for good."
	userWaiting      = "A logout of the user was accepted and waits for a worker."
	userFailed       = "A logout was given up: see the dead letters."

	noTrace = "No trace was found. The request was never made, or is older than what is kept (events: 72 hours), " +
		"or was done so late that its event is not among the 100,000 that were looked at."
)
