/* What the programs log, one row per event: id; priority (syslog); MESSAGE_ID, from `systemd-id128
 * new` and never changed; text; the fields that it can have, given at the call as key=value (in
 * systemd's journal BACKSTAY_KEY); what it means. The journal's catalog and the manual are made
 * from these rows, too. */
#define LOG_TABLE(X)                                                                                                    \
	X(START, LOG_INFO, "f6d578dc1ed04aedb7efdc5797bb29ee", "started",                                               \
		"version device home bind port data",                                                                   \
		"A program of Backstay is ready and at work.")                                                          \
	X(STOP, LOG_INFO, "8e9bb1e21ef04ca8a03a6bf659bfc7c0", "stopped",                                                \
		"state status config error reason",                                                                     \
		"It has ended: because it was told to, or, where a reason stands, because it could not go on.")         \
	X(CONFIG, LOG_ERR, "21d30dc4526f4e0a95d6fcb83c00dafc", "configuration refused",                                 \
		"problem config error reason",                                                                          \
		"Nothing was begun. Each line names the file and the line in it. The program's --dump-config prints "   \
		"what is in force, and which file every value comes from.")                                             \
	X(STATE, LOG_NOTICE, "ccc4f13e56544f9896c2fc49c4d5df53", "update moved on",                                     \
		"from state event txn release slot campaign why",                                                       \
		"The update machine has entered another state, and it is durable. What each state means stands in "     \
		"backstay-states(7); `backstay explain` says what it waits for.")                                       \
	X(ACTION_FAILED, LOG_WARNING, "2e869412c26d4a6b989b1cb9575ebcc5", "an action failed",                           \
		"action state event release kind slot error reason",                                                    \
		"Something that was to be done did not succeed this time. The kind of error says whether it is tried "  \
		"again: backstay-errors(7).")                                                                           \
	X(DESIRED, LOG_NOTICE, "a667cc3d3d024c9aa87df6626638c57f",                                                      \
		"a new desired state was verified", "release order campaign version",                                   \
		"The server's order was signed by everybody who must, and nothing in it is older than what this "       \
		"device has seen. The update begins.")                                                                  \
	X(REFUSED, LOG_WARNING, "64ddfd583aa04436b012cb4859a05dc1", "a desired state was refused",                      \
		"server from error reason",                                                                             \
		"What the server or a folder wanted was not believed, or may not run here. Nothing was changed. If "    \
		"you do not know why, look at who signed what: `backstay keys status`.")                                \
	X(POLL_FAILED, LOG_INFO, "d4a366b30c65450a820ed6d800b506c4",                                                    \
		"the server could not be asked", "server action left error reason",                                     \
		"The device goes on with what it runs, and asks again later. It never goes back for want of a "         \
		"network.")                                                                                             \
	X(PUSH, LOG_INFO, "82be062ae95e4df09dccae39314127b6", "the broker will wake the device", "broker",               \
		"From now on the server can tell the device that there is news. It asks as often as before, too.")      \
	X(PUSH_LOST, LOG_INFO, "d67d280006214ac19988b1cbc3ea6787", "nobody wakes the device", "broker error reason",   \
		"The broker cannot be reached, or refuses. The device asks the server by itself, at its poll "          \
		"interval, and tries the broker again.")                                                                \
	X(BUS, LOG_NOTICE, "e980a95723cb4dbb9fd9437a579d5fa7", "the broker passes wakes on", "broker",                     \
		"Devices that listen there ask at once when there is something for them.")                              \
	X(BUS_LOST, LOG_WARNING, "ddab54d7cf674d74b5cc752afb911bd5", "the broker cannot be reached", "broker error reason", \
		"Devices are not woken, and ask by themselves. The server goes on trying; the newest wakes wait.")      \
	X(EXPORT, LOG_WARNING, "441e8959a70242a4ab82d50f74ac164b", "the collector did not take metrics",                 \
		"url error reason",                                                                                     \
		"OpenTelemetry's collector ([otlp] url) could not be told. It is told again, with what has come "       \
		"meanwhile; only the first failure in a row is logged.")                                                \
	X(TRIGGER, LOG_WARNING, "d3f62b1099e24eb4a0eeed7cdae6a45e", "a rollback trigger fired",                         \
		"trigger txn release slot why",                                                                         \
		"The new version is taken back now. What was seen stands in the dossier: `backstay explain`. The "      \
		"catalogue of triggers is backstay-triggers(7).")                                                       \
	X(OUTCOME, LOG_NOTICE, "5a302f8566d44a8999dff5a09343425a", "an update ended",                                   \
		"state txn release slot cause why text",                                                                \
		"committed: the new version is accepted. reverted: the old one runs again. failed: it was given up "    \
		"before the switch. A release that is to blame is in quarantine here, and is not taken again until "    \
		"`backstay clear`.")                                                                                    \
	X(SERVICE, LOG_NOTICE, "2479a1f2d37c4c60a2ea009fd4140552", "the workload changed",                              \
		"alive slot ended model release",                                                                       \
		"The workload was started, has ended, or runs from another slot.")                                      \
	X(JOURNAL, LOG_ERR, "f312c650489f44c4a811ec5ce65d9efd", "the journal could not be used",                        \
		"retry_ms file action error reason",                                                                    \
		"The agent could not write its record. Nothing is begun until it can: look at the disk that holds "     \
		"agent.home.")                                                                                          \
	X(REPORT, LOG_INFO, "b1b361c25aa8426b8847899b6aa20aa5", "a report was sent", "left after",                      \
		"The server has what this device had to say.")                                                          \
	X(HTTP, LOG_DEBUG, "0eaa873e2ed945b3888da16468eb2106", "a request was answered", "",                            \
		"One request of the server.")                                                                           \
	X(CAMPAIGN, LOG_NOTICE, "a1377e9353304839a108eeec0bf3df54", "a campaign moved on",                              \
		"campaign",                                                                                             \
		"A campaign has entered another phase or opened a wave: `backstay campaign show`.")                     \
	X(AUDIT, LOG_NOTICE, "c1ca6b725fdd4526974d0f637346544a", "noted for the audit", "",                             \
		"A line of the audit log, which is a chain of its own: `backstay audit`.")                              \
	X(SIGNED, LOG_INFO, "eea920d2919f446f95133d385ba4172b", "metadata was signed",                                  \
		"repo device role version release",                                                                     \
		"The signer has given a signature, after it had checked what it signs.")                                \
	X(SIGN_REFUSED, LOG_WARNING, "66682ac842a0472899b61baa1d8f1dba",                                                \
		"a signature was refused", "peer what device release error reason",                                     \
		"The server asked for a signature that the signer would not give. If no budget was used up, the "       \
		"server may be in other hands.")                                                                        \
	X(HOOK_LATE, LOG_INFO, "e1c4a64a0e1b4b5d8e45af104f806ff3", "a hook could not be told",                             \
		"hook event why",                                                                                       \
		"The receiver did not take a letter at the first attempt. It is tried again, later and later: "         \
		"`backstay hook list`.")                                                                                \
	X(HOOK_DEAD, LOG_WARNING, "ed9d81645eab4fc4b35c544ee03370aa", "a letter to a hook was given up",               \
		"hook event why",                                                                                       \
		"The receiver did not take it however often it was tried. It is kept: `backstay hook dead` lists it, "  \
		"`backstay hook resend` sends it again.")                                                               \
	X(STORE, LOG_ERR, "0ef6d6cf09d940c587176622c9a1880a", "the store failed",                                       \
		"what route peer error reason",                                                                         \
		"The server or the signer could not read or write its store. Look at its disk.")                        \
	X(IDENTITY, LOG_NOTICE, "6a2cee2fd6cb46b8a32e407c3cda69ba",                                                     \
		"the device has a new certificate", "device server",                                                    \
		"The device has enrolled, or renewed its certificate.")                                                 \
	X(IDENTITY_FAILED, LOG_WARNING, "e2d957f25b184965ae5ac44d51cdb149",                                             \
		"the device's certificate could not be made new", "server error reason",                                \
		"The certificate that it has stays in use as long as it is good. An invitation is made by `backstay "   \
		"device invite`.")                                                                                      \
	X(RESCUE, LOG_ERR, "ede5ae408e7a4654a7915548f1cac7df", "a trial is taken out of its agent's hands",             \
		"state why",                                                                                            \
		"The agent was lost, or did not decide about the version on trial in time. The old version is brought " \
		"back without it; what went wrong with the agent stands in its own lines before.")                      \
	X(WAITS, LOG_NOTICE, "b9162d3a5ce54eb8a8dde5f2c24530d0",                                                             \
		"an update waits", "state release error reason",                                                        \
		"A precondition does not hold. `backstay explain` says which, with what was seen and what is wanted; "  \
		"the update goes on by itself when it holds.")                                                          \
	X(HEALTH, LOG_WARNING, "de52cc83158f4983a8f76314c50e3a59", "a check of the machine failed", \
		"check kind release why", \
		"A program of health.d did not pass while a new version soaked. A required one takes the version back " \
		"when it fails [health] tries times in a row; a wanted one is a warning.") \
	X(SCRUB, LOG_ERR, "6d223e929741417f8ea5f523d4a8a82d", "the way back is rotten",                                       \
		"slot error reason",                                                                                    \
		"The slot that a device would go back to is not what was signed any more, or cannot be read. It was "   \
		"marked invalid; the next update writes it anew. Look at the storage.")                                 \
	X(SHADOW, LOG_NOTICE, "a704e6548575478f992f2491482653e6", "a challenger has its verdict", \
		"verdict cause txn release pairs why limits",                                                               \
		"The new version ran beside the old one on the same inputs, as its release wants. VERDICT is promoted: the "     \
		"update goes on to the switch; or refused: it ends, and the old version was never touched. CAUSE is disagrees, "  \
		"errs, slow, crashed, no_start or undecided. LIMITS is what held it. `backstay explain` has the numbers.")                             \
	X(BUG, LOG_CRIT, "cedcb47b064446e28ef4489210034b84", "a contract was broken",                                   \
		"state event error reason",                                                                             \
		"This should not have been possible. The event was dropped, and the program goes on. Please report it " \
		"with the lines before.")
