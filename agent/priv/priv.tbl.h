/* What the installer and its worker say to each other: all that crosses the border of the two processes. One row per
 * verb. A call begins with one verb of the installer and is answered by the worker's verbs that name it in `answers`.
 *  id, name, who says it, answers,
 *  largest value of each number, longest of each text, most bytes behind them,
 *  what it is, and what the other side does for it */
#define PRIV_TABLE(X)                                                                                              \
	X(SETUP, "setup", PRIV_INSTALLER, 0, (UINT32_MAX, UINT32_MAX, UINT32_MAX, LIMIT_ARTIFACT_BYTES),           \
		(255, 255, 255, 255, 127, 63, 255), 0,                                                             \
		"uid and gid to become, when this was built, bytes a second; CA, certificate and key files, which follow open, proxy, token, name, hosts without proxy: once, before any call") \
	X(GET, "get", PRIV_INSTALLER, 0,                                                                           \
		(LIMIT_TARGETS_BYTES, LIMIT_SPAN_MS, LIMIT_SPAN_MS, UINT32_MAX, UINT32_MAX),                       \
		(1023, 127), 0,                                                                                    \
		"most bytes, time to connect, in all, slowest bytes a second, for seconds; address, tag: asks")    \
	X(SEND, "send", PRIV_INSTALLER, 0,                                                                         \
		(LIMIT_BODY_BYTES, LIMIT_SPAN_MS, LIMIT_SPAN_MS, UINT32_MAX, UINT32_MAX,                           \
			LIMIT_BODY_BYTES),                                                                         \
		(1023, 8, 31), 0,                                                                                  \
		"the same, and bytes of the body that follows; address, method, type: sends")                            \
	X(UNPACK, "unpack", PRIV_INSTALLER, 0,                                                                     \
		(LIMIT_ARTIFACT_BYTES, LIMIT_ARTIFACT_BYTES, 1, 1, 1, LIMIT_SPAN_MS, UINT32_MAX,                   \
			UINT32_MAX, LIMIT_ARTIFACT_BYTES, LIMIT_ARTIFACT_BYTES, LIMIT_ARTIFACT_BYTES,              \
			LIMIT_ARTIFACT_BYTES, LIMIT_ARTIFACT_BYTES, LIMIT_TAR_ENTRIES),                            \
		(1023, 64, 64), 0,                                                                                 \
		"bytes packed, unpacked, tar?, zstd?, threads?, times, what is there; address, digests: fetches and lays out") \
	X(LISTEN, "listen", PRIV_INSTALLER, 0, (0), (255, 63, 127, 127, 127), 0,                                   \
		"broker, own name, topics to listen on, of presence, of acks: connects and stays")                 \
	X(POST, "post", PRIV_INSTALLER, 0, (0), (127), PRIV_PIECE,                                                 \
		"while it listens: a topic and a message, which is passed to the broker")                          \
	X(READY, "ready", PRIV_WORKER, PRIV_BIT(SETUP), (65535), (0), 0,                                           \
		"version of Landlock in force: calls may come")                                                    \
	X(HEAD, "head", PRIV_WORKER, PRIV_BIT(GET) | PRIV_BIT(SEND),                                               \
		(999, LIMIT_SPAN_MS, LIMIT_TARGETS_BYTES), (127), 0,                                               \
		"status, time to wait, bytes of the body that follows; tag: kept in memory until it is judged")    \
	X(BYTES, "bytes", PRIV_INSTALLER | PRIV_WORKER, PRIV_BIT(GET) | PRIV_BIT(SEND), (0), (0),                  \
		PRIV_PIECE, "part of a body")                                                                      \
	X(DIR, "dir", PRIV_WORKER, PRIV_BIT(UNPACK), (0), (LIMIT_TAR_NAME), 0,                                     \
		"a folder of the component: made in the inactive slot")                                            \
	X(FILE, "file", PRIV_WORKER, PRIV_BIT(UNPACK), (1, LIMIT_ARTIFACT_BYTES),                                  \
		(LIMIT_TAR_NAME), 0,                                                                               \
		"executable?, size: a file of the component: made in the inactive slot")                           \
	X(LINK, "link", PRIV_WORKER, PRIV_BIT(UNPACK), (0), (LIMIT_TAR_NAME, LIMIT_TAR_NAME), 0,                   \
		"a symbolic link of the component, checked to stay in it: made in the inactive slot")              \
	X(DATA, "data", PRIV_WORKER, PRIV_BIT(UNPACK), (LIMIT_ARTIFACT_BYTES), (0), PRIV_PIECE,                    \
		"artifact bytes so far, for progress; the next bytes of the file: written to it")                  \
	X(FOOTHOLD, "foothold", PRIV_WORKER, PRIV_BIT(UNPACK),                                                     \
		(LIMIT_ARTIFACT_BYTES, LIMIT_ARTIFACT_BYTES, LIMIT_ARTIFACT_BYTES), (0), 0,                        \
		"artifact and content bytes, and bytes after them, from where to go on: noted in home now and then") \
	X(WAKE, "wake", PRIV_WORKER, PRIV_BIT(LISTEN), (1), (0), 0,                                                \
		"0: connected; 1: a message came: the server is asked soon, as by any poll")                       \
	X(ACK, "ack", PRIV_WORKER, PRIV_BIT(LISTEN), (0), (0), LIMIT_TELEMETRY_ACK,                                \
		"what came on the topic of acks: the installer reads it, and forgets what it names")               \
	X(END, "end", PRIV_WORKER, PRIV_BIT(UNPACK), (LIMIT_ARTIFACT_BYTES), (0), 0,                               \
		"artifact bytes in all: the component is complete, and is now compared with the signed tree")      \
	X(FAIL, "fail", PRIV_WORKER,                                                                               \
		PRIV_BIT(SETUP) | PRIV_BIT(GET) | PRIV_BIT(SEND) | PRIV_BIT(UNPACK) | PRIV_BIT(LISTEN),                               \
		(ERR_CODE_MAX - 1), (319), 0, "kind of failure; its text: ends the call")
