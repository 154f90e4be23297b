/* Every bound of everything that is parsed, in one place. A peer can send no more than this, so
 * memory that cannot be had is no peer's doing. */
#ifndef PROTO_WIRE_LIMITS_H
#define PROTO_WIRE_LIMITS_H

#define LIMIT_JSON_DEPTH 32

/* metadata, bytes */
#define LIMIT_ROOT_BYTES       (64 * 1024)
#define LIMIT_TIMESTAMP_BYTES  (16 * 1024)
#define LIMIT_SNAPSHOT_BYTES   (256 * 1024)
#define LIMIT_TARGETS_BYTES    (2 * 1024 * 1024)
#define LIMIT_DIRECTOR_BYTES   (64 * 1024) /* any file of a director repository */
#define LIMIT_TIMETOKEN_BYTES  (4 * 1024)  /* a time token, or the time floor */
#define LIMIT_KEYS             64          /* in one root or targets file */
#define LIMIT_SIGNATURES       64
#define LIMIT_DELEGATIONS      32
#define LIMIT_ROOT_ROTATIONS   256 /* in one refresh */
#define LIMIT_TARGETS          4096
#define LIMIT_DIRECTOR_TARGETS 8
#define LIMIT_ROLES            64 /* files that a snapshot lists */
#define LIMIT_ROLE_NAME        64
#define LIMIT_TARGET_NAME      128
#define LIMIT_METADATA_HASHES  4
#define LIMIT_SEARCH_ROLES     32  /* asked in one search for a target */
#define LIMIT_PATTERNS         256 /* paths or prefixes of one delegation */

/* keys in tokens */
#define LIMIT_KEY_URI_BYTES 2048
#define LIMIT_PIN_BYTES     255

#define LIMIT_PUB_FILE_BYTES 4096 /* a public key in a file of its own */

/* documents */
#define LIMIT_REQUEST_BYTES (16 * 1024) /* a request to approve a release */
#define LIMIT_RELEASE_BYTES (128 * 1024)
#define LIMIT_POLICY_BYTES  (32 * 1024)
#define LIMIT_REPORT_BYTES  (256 * 1024)
#define LIMIT_BODY_BYTES    (1024 * 1024) /* an API body that is not an artifact */
#define LIMIT_ENROLL_BYTES  (8 * 1024)    /* a certificate request in base64 */
#define LIMIT_COMPONENTS    8
#define LIMIT_SMOKE_TESTS   8
#define LIMIT_TRIGGERS      12
#define LIMIT_TRIGGER_EDGES 15   /* of a drift's histogram: one bin more */
#define LIMIT_SIGMA_MILLI   8000 /* beyond that a double's chances end */
#define LIMIT_ARGV          12
#define LIMIT_ARG_BYTES     160
#define LIMIT_ROLLBACK_TO   8
#define LIMIT_HARDWARE_IDS  8
#define LIMIT_WAVES         16
#define LIMIT_FREEZES       16
#define LIMIT_TEXT          256          /* notes, reasons, names for people */
#define LIMIT_AUDIT_LINE    8192         /* a row or a checkpoint of an export */
#define LIMIT_DOSSIER_BYTES (192 * 1024) /* of a report, so that the rest of it always fits */
#define LIMIT_SPAN_MS       (30ULL * 24 * 3600 * 1000) /* any timeout, window or soak */
#define LIMIT_WINDOW_MIN_MS 100
#define LIMIT_SAMPLES       1000000000
#define LIMIT_TOKEN_LIFE_MS (3650ULL * 24 * 3600 * 1000)
#define LIMIT_CARRY_DAYS    366       /* of a carried folder; a signer allows less */
#define LIMIT_DEVICES       100000000 /* in one wave */

/* evidence and gates */
#define LIMIT_ENVELOPE_BYTES    (1024 * 1024) /* one DSSE envelope */
#define LIMIT_VSA_BYTES         (32 * 1024)   /* the one kind of envelope that devices read */
#define LIMIT_ENVELOPE_SIGS     8
#define LIMIT_EVIDENCE          32 /* files of one release */
#define LIMIT_EVIDENCE_ROLES    8
#define LIMIT_SUBJECTS          64 /* of one statement */
#define LIMIT_PREDICATE_TYPE    96
#define LIMIT_GATE_BYTES        (32 * 1024)
#define LIMIT_GATES             4 /* that one release must pass */
#define LIMIT_GATE_POLICIES     8 /* versions of one gate that are accepted side by side */
#define LIMIT_GATE_REQUIREMENTS 16
#define LIMIT_GATE_CONDITIONS   8
#define LIMIT_GATE_SCENARIOS    16
#define LIMIT_GATE_NAME         64 /* of a scenario, a suite, a field */
#define LIMIT_NUMBER_CHARS      40 /* of a number in evidence, that is to be compared */

/* preconditions */
#define LIMIT_PRECONDITIONS   16   /* of one release, or of one configured type */
#define LIMIT_CONDITIONS      32   /* of one report: what a switch waited for */
#define LIMIT_PRECOND_WINDOWS 8    /* of one rule */
#define LIMIT_PRECOND_TEXT    192  /* bytes of a configured one: a line */
#define LIMIT_THERMAL_ZONES   64   /* that are looked at */
#define LIMIT_SIGNAL_BYTES    4096 /* of a file that says whether the machine is parked */

/* a challenger beside the champion */
#define LIMIT_SHADOW_NOTE     (16 * 1024 * 1024) /* bytes of an input with what the champion said */
#define LIMIT_SHADOW_PACKET   (1024 * 1024)      /* of them that come in the packet itself */
#define LIMIT_SHADOW_HEAD     2048               /* of them before the input begins */
#define LIMIT_SHADOW_ANSWER   256                /* an answer that is compared, with NUL */
#define LIMIT_SHADOW_BODY     (64 * 1024)        /* what a challenger answers to one input */
#define LIMIT_SHADOW_PAIRS    1000000
#define LIMIT_SHADOW_FILE     (16 * 1024) /* a comparison so far */
#define LIMIT_SHADOW_EXAMPLES 4           /* disagreements that are kept to be looked at */

#define LIMIT_LEASE_BYTES 1024 /* a question for a lease, or its answer */

/* hooks */
#define LIMIT_HOOKS       32
#define LIMIT_HOOK_URL    512
#define LIMIT_HOOK_EVENTS 1024
#define LIMIT_HOOK_KEEP_MS                                                                         \
	(90LL * 86400000)        /* how long an old secret may sign besides a new one              \
				  */
#define LIMIT_HOOK_LETTERS 20000 /* of one hook, the dead among them; the oldest go first */
#define LIMIT_HOOK_ANSWER  65536 /* bytes of an answer, which nobody reads */
#define LIMIT_DRIFTS       256   /* that are gathered at once */
#define LIMIT_DRIFTS_ALONE 8     /* of them, that one device speaks of alone */
#define LIMIT_DRIFT_NAMES  20    /* devices that an event names */

/* archives */
#define LIMIT_TAR_ENTRIES     200000
#define LIMIT_TAR_NAME        256
#define LIMIT_TAR_DEPTH       32
#define LIMIT_ARTIFACT_BYTES  (64ULL << 30)
#define LIMIT_ZSTD_WINDOW_LOG 23 /* 8 MiB: what the agent grants a decompressor */

/* scenarios of the simulator */
#define LIMIT_SCENARIO_BYTES     (64 * 1024)
#define LIMIT_SCENARIO_GROUPS    32
#define LIMIT_SCENARIO_FAULTS    32 /* as many as a mask has bits; the same of weather */
#define LIMIT_SCENARIO_WEATHER   32
#define LIMIT_SCENARIO_ORDERS    32
#define LIMIT_SCENARIO_DEVICES   10000000
#define LIMIT_SCENARIO_ONLINE_MS 1000U
#define LIMIT_SCENARIO_TROUBLES                                                                    \
	(20ULL * 1000 * 1000 * 1000) /* of all devices, within the horizon */
#define LIMIT_SCENARIO_MS (366ULL * 24 * 3600 * 1000)

/* what the server says to the process that signs */
#define LIMIT_SIGN_FRAME (32 * 1024 * 1024) /* all role files and roots, escaped */
#define LIMIT_SIGN_FILES 320
#define LIMIT_SIGN_FIRST (1ULL << 31) /* versions that a newcomer may have behind it */
#define LIMIT_SIGN_LINE  4096         /* bytes of one line of its log */

/* what the dead-man reads */
#define LIMIT_CMDLINE_BYTES 4096 /* the kernel's command line; no kernel of ours takes more */
#define LIMIT_DEADMAN_BYTES 32   /* a packet to it */
#define LIMIT_DEADMAN_S     (30 * 24 * 3600)

/* boot loaders */
#define LIMIT_BOOT_NAME   16 /* what a boot loader calls a slot, with NUL */
#define LIMIT_GRUB_VARS   16 /* in one environment block */
#define LIMIT_GRUB_NAME   32
#define LIMIT_GRUB_VALUE  64
#define LIMIT_EFI_NAME    64 /* of a file of an entry */
#define LIMIT_EFI_ENTRIES 17 /* of ours, and one more */
#define LIMIT_EFI_BYTES   4096

/* telemetry */
#define LIMIT_TELEMETRY_BYTES     (64 * 1024) /* a batch */
#define LIMIT_TELEMETRY_ITEMS     64          /* in a batch */
#define LIMIT_TELEMETRY_METRICS   16          /* of each form, in a window */
#define LIMIT_TELEMETRY_RING      32          /* windows around a mark */
#define LIMIT_TELEMETRY_ACK       256
#define LIMIT_DOSSIER_RING        (40 * 1024) /* of a dossier: what was measured around its event */
#define LIMIT_TELEMETRY_QUEUE_MIN (256 * 1024)
#define LIMIT_TELEMETRY_QUEUE_MAX (64 * 1024 * 1024)
#define LIMIT_SPOOL_LINE          (LIMIT_TELEMETRY_BYTES + 64) /* an item that waits on the disk */
#define LIMIT_SPOOL_BYTES         (256 * 1024)                 /* a piece of such */

/* Prometheus text */
#define LIMIT_METRICS_BYTES (512 * 1024)
#define LIMIT_METRICS_LINE  1024
#define LIMIT_HIST_BUCKETS  32

#endif
