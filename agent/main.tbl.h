/* What backstay-agent is and takes: --help and its page of the manual are made of this. */
#define AGENT_PURPOSE                                                                              \
	"Keeps this device at the release that its fleet has signed for, and takes a bad one back by itself."
#define AGENT_ABOUT                                                                                \
	"The agent asks its server for the device's signed desired state, brings a new release into the inactive slot, " \
	"tests it there, switches, and watches the workload for as long as the release says. If a trigger fires, the old " \
	"version is back within a second or so, with the server or without it."
#define AGENT_STEPS                                                                                \
	"  backstay-agent --dump-config > /etc/backstay/agent.conf   # then edit it\n" \
	"  backstay-agent --provision /media/usb/keys   # the two root files\n" \
	"  backstay-agent --once   # try it in the foreground\n" \
	"  systemctl enable --now backstay-agent\n"
#define AGENT_THEN "Then ask it: `backstay status`, `backstay explain`, `backstay history`."
#define AGENT_EXIT                                                                                 \
	"0 well, 64 wrong options, 78 wrong configuration, 73 to 77 what the machine did not give, 70 a person must look at it."

/*  id, long name, short name or 0, metavariable (NULL: a flag), what it means */
#define AGENT_OPTIONS(X)                                                                           \
	X(CONFIG, "config", 'c', "FILE",                                                           \
		"Read this file and FILE.d/*.conf, and not what lies in /usr/lib/backstay, /run/backstay and /etc/backstay") \
	X(HOME, "home", 'H', "DIR", "Keep slots, journal and trust here; overrides agent.home")    \
	X(DUMP, "dump-config", 0, NULL,                                                            \
		"Print the effective configuration with what each key means and which file says it, and end") \
	X(PROVISION, "provision", 0, "DIR",                                                        \
		"Take DIR/director/1.root.json and DIR/image/1.root.json as what is trusted, and end; never replaces others") \
	X(ONCE, "once", 0, NULL,                                                                   \
		"Ask the server once, carry out what comes of it, send the reports, and end")      \
	X(FROM, "from", 0, "DIR",                                                                  \
		"Install what `backstay device export` has written into DIR, and end when it has been accepted or taken back. A " \
		"running agent is asked to do it")                                                 \
	X(RESCUE, "rescue", 0, NULL,                                                               \
		"If an update is on trial and its agent is lost or does not decide: bring the old version back in its place, and " \
		"end. Run by backstay-deadman.timer")                                              \
	X(WORKER, "worker", 0, NULL,                                                               \
		"Be the worker of the agent that started this; of no use to people")               \
	X(VERSION, "version", 'V', NULL, "Print the version, and end")
