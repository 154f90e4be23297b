/* The agent's version and age: in reports, user agent and --version. */
#ifndef AGENT_VERSION_H
#define AGENT_VERSION_H

#define AGENT_VERSION "0.1.0"

/* No version like this was ever built before: seconds since 1970 that no clock of a device may be
 * under (2026-11-25). A build may give its own. */
#ifndef AGENT_BUILT_S
#define AGENT_BUILT_S INT64_C(1795564800)
#endif

#endif
