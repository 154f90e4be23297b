/* What the process that signs can be asked. id, name on the wire, text */
#define ASK_TABLE(X)                                                                                  \
	X(LOOK, "look", "Where its log stands; signs nothing")                                        \
	X(IMAGE, "image",                                                                             \
		"Snapshot and timestamp of the image repository, over role files that people signed") \
	X(DIRECTOR, "director", "Targets, snapshot and timestamp of one device")                      \
	X(TIME, "time", "What time it is, for a device that has made up a nonce")                     \
	X(CHECKPOINT, "checkpoint", "How far the audit log has come")
