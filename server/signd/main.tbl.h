/* What backstay-signer is and takes: --help and its page of the manual are made of this. */
#define SIGND_PURPOSE                                                                              \
	"Holds the keys that backstay-server signs with, and signs nothing that it has not checked itself."
#define SIGND_ABOUT                                                                                \
	"The server asks on a Unix socket: this device shall run that release; publish these role files. It gets an answer only " \
	"if the image repository, verified from the root that was provisioned here, says so with all roles of the quorum, if no " \
	"version and no release counter goes back, and if the budgets allow it. What was signed, and what was refused, stands in " \
	"DATA/signer.log before it is answered. Without further ado backstay-server starts its own. As a service of its own it has " \
	"its keys out of reach of a server that was taken over; the package brings the service and its user."
#define SIGND_STEPS                                                                                \
	"  install -o backstay-signer -m 0600 keys/online/* /etc/backstay/keys/online/\n" \
	"  # signer.user = backstay\n" \
	"  backstay-signer --dump-config > /etc/backstay/signer.conf\n" \
	"  # signer.socket = ...\n" \
	"  backstay-server --dump-config > /etc/backstay/server.conf\n" \
	"  systemctl enable --now backstay-signer backstay-server\n" \
	"  # later, and without keys\n" \
	"  backstay-signer --verify-log /var/lib/backstay-signer/signer.log\n"
#define SIGND_THEN "The log is a chain, and needs no keys to be checked."
#define SIGND_EXIT                                                                                 \
	"0 well, 64 wrong options, 78 wrong configuration, 65 a log that was altered, 66 to 77 what the keys, the store or the " \
	"machine did not give."

/*  id, long name, short name or 0, metavariable (NULL: a flag), what it means */
#define SIGND_OPTIONS(X)                                                                           \
	X(CONFIG, "config", 'c', "FILE",                                                           \
		"Read this file and FILE.d/*.conf, and not what lies in /usr/lib/backstay, /run/backstay and /etc/backstay") \
	X(DUMP, "dump-config", 0, NULL,                                                            \
		"Print the effective configuration with what each key means and which file says it, and end") \
	X(VERIFY, "verify-log", 0, "FILE",                                                         \
		"Check every line of a log, say where it stands, and end; 65 and the number of the line when one was altered") \
	X(FD, "fd", 0, "N",                                                                        \
		"Instead of listening, serve the peer on this connected socket, and end with it; so backstay-server starts its own") \
	X(JSON, "log-json", 0, NULL, "Log as one JSON object a line")                              \
	X(VERSION, "version", 'V', NULL, "Print the version, and end")
