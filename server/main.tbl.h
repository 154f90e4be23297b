/* What backstay-server is and takes: --help and its page of the manual are made of this. */
#define SERVER_PURPOSE                                                                             \
	"Publishes signed releases, rolls them out wave by wave, and keeps what the devices say."
#define SERVER_ABOUT                                                                               \
	"One process, one store (SQLite) and one folder of artifacts; it may be killed at any time and goes on where it was. " \
	"The private keys are in a process of their own, backstay-signer, which this one starts or finds on a socket: see its " \
	"--help."
#define SERVER_STEPS                                                                               \
	"  backstay keys init keys   # on a machine that stays offline\n" \
	"  scp -r keys/repo keys/online server:/etc/backstay/keys/\n" \
	"  backstay-server --dump-config > /etc/backstay/server.conf   # then edit it\n" \
	"  backstay-server   # makes DATA/token, the first administrator's\n" \
	"  export BACKSTAY_SERVER=http://server:8080 BACKSTAY_TOKEN_FILE=token\n" \
	"  backstay user add ann operator > ann.token   # by the administrator\n" \
	"  backstay release publish build/ocr-2   # as an operator, from here on\n" \
	"  backstay campaign create spring --release ocr-2 --policy careful.json\n" \
	"  backstay campaign start spring --watch\n"
#define SERVER_THEN "GET /healthz and GET /metrics (Prometheus) are for whoever watches the server, GET /v1/metrics with a viewer's token for whoever watches the fleet."
#define SERVER_EXIT                                                                                \
	"0 well, 64 wrong options, 78 wrong configuration, 65 to 77 what the keys, the store or the machine did not give."

/*  id, long name, short name or 0, metavariable (NULL: a flag), what it means */
#define SERVER_OPTIONS(X)                                                                          \
	X(CONFIG, "config", 'c', "FILE",                                                           \
		"Read this file and FILE.d/*.conf, and not what lies in /usr/lib/backstay, /run/backstay and /etc/backstay") \
	X(DUMP, "dump-config", 0, NULL,                                                            \
		"Print the effective configuration with what each key means and which file says it, and end") \
	X(PORT_FILE, "port-file", 0, "FILE",                                                       \
		"Write the port there once the server listens; for server.port = 0")               \
	X(JSON, "log-json", 0, NULL, "Log as one JSON object a line")                              \
	X(VERSION, "version", 'V', NULL, "Print the version, and end")
