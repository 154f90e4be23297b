/* What UN R156 (42021X0388) asks a manufacturer to record of updates, and where a record has it.
 *  id, in whose record (VEHICLE, RELEASE), paragraph, what is asked for, where it stands ("a.*.b":
 * b of every element of a), what to do so that it is there */
#define RECORD_TABLE(X)                                                                            \
	X(PROCESS, RELEASE, "7.1.2.1", "how updates are made and by which rules",                  \
		"update_record.process",                                                           \
		"state process (documents, standards) in the release's update-record evidence")    \
	X(BEFORE, VEHICLE, "7.1.2.2", "the vehicle's configuration before each update",            \
		"updates.*.before.configuration",                                                  \
		"known from the first report after the history was begun")                         \
	X(AFTER, VEHICLE, "7.1.2.2", "and after it", "updates.*.after.configuration",              \
		"known when the device has reported after its update")                             \
	X(HARDWARE, VEHICLE, "7.1.2.2", "unique identification of its hardware",                   \
		"configurations.*.hardware", "set device.hardware in agent.conf")                  \
	X(BEFORE_ALL, RELEASE, "7.1.2.2", "the configuration of each recipient before, and after", \
		"campaigns.*.recipients.*.configuration_before",                                   \
		"known when a device is admitted, and when it has ended")                          \
	X(RXSWIN, RELEASE, "7.1.2.3",                                                              \
		"the identification of the type's software (RXSWIN) before and after",             \
		"update_record.rxswin",                                                            \
		"state rxswin {before, after} in the release's update-record evidence")            \
	X(SOFTWARE, VEHICLE, "7.1.2.3",                                                            \
		"the software with its versions that ran, and its integrity validation data",      \
		"software.*.components", "only software that was published here is known")         \
	X(INTEGRITY, RELEASE, "7.1.2.3", "the software with integrity validation data",            \
		"software.components.*.artifact", "part of every release document")                \
	X(TARGETS, RELEASE, "7.1.2.4", "the vehicles that were to get it",                         \
		"campaigns.*.recipients", "frozen when a campaign is started")                     \
	X(FITS_ALL, RELEASE, "7.1.2.4", "that the last known configuration of each is compatible", \
		"campaigns.*.recipients.*.compatibility", "judged when a campaign is started")     \
	X(FITS, VEHICLE, "7.1.2.4", "that the vehicle's last known configuration was compatible",  \
		"updates.*.compatibility", "judged when a campaign is started")                    \
	X(PURPOSE, RELEASE, "7.1.2.5 (a)", "what the update is for", "software.purpose",           \
		"write notes into the release")                                                    \
	X(SYSTEMS, RELEASE, "7.1.2.5 (b)", "which systems and functions it may touch",             \
		"update_record.systems", "state systems in the release's update-record evidence")  \
	X(APPROVED, RELEASE, "7.1.2.5 (c)", "which of them are type approved",                     \
		"update_record.systems.*.typeApproved",                                            \
		"state systems[].typeApproved in the release's update-record evidence")            \
	X(AFFECTED, RELEASE, "7.1.2.5 (d), (e)",                                                   \
		"whether it touches requirements or parameters of an approval",                    \
		"update_record.approval.affected",                                                 \
		"state approval.affected in the release's update-record evidence")                 \
	X(SOUGHT, RELEASE, "7.1.2.5 (f)", "whether an approval was sought",                        \
		"update_record.approval.sought",                                                   \
		"state approval.sought in the release's update-record evidence")                   \
	X(CONDITIONS, RELEASE, "7.1.2.5 (g)",                                                      \
		"how and under which conditions it may be carried out", "software.preconditions",  \
		"state preconditions in the release")                                              \
	X(CONDITIONS_OF, VEHICLE, "7.1.2.5 (g)", "the conditions that applied to each update",     \
		"updates.*.conditions.preconditions", "state preconditions in the release")        \
	X(SEEN, VEHICLE, "7.1.2.5 (g)",                                                            \
		"and what was seen of them when the vehicle switched", "updates.*.seen",           \
		"state preconditions before the swap; agents from before do not report it")        \
	X(SAFE, RELEASE, "7.1.2.5 (h)", "that it will be carried out safely and securely",         \
		"software.triggers", "state triggers in the release")                              \
	X(SIGNED, RELEASE, "7.1.2.5 (h)", "and who vouched for it", "signatures",                  \
		"signed by all parties of the quorum")                                             \
	X(VERIFIED, RELEASE, "7.1.2.5 (i)", "that it was verified and validated with success",     \
		"evidence", "give evidence with the release, and demand it by gates")              \
	X(OUTCOME, VEHICLE, "7.2.2.4", "what came of each update", "updates.*.outcome",            \
		"reported by the device")                                                          \
	X(CONSENT, VEHICLE, "7.2.2.2, 7.2.2.3", "that the vehicle's user was told and agreed",     \
		"updates.*.consent", "state the precondition consent in the release")              \
	X(EXECUTION, VEHICLE, "7.2.2.1", "what the vehicle did, step by step",                     \
		"updates.*.execution",                                                             \
		"reported by the device; only the newest 500 reports are kept besides outcomes")
