/* What a scenario can be made of. The parser, its page and the tests are made from these rows. */

/*  id, name: what is hidden in the new release; what `amount` is, its default; what it does on a device that has it */
#define SCENARIO_FAULT_TABLE(X)                                                                                  \
	X(SMOKE, "smoke", "-", 0, "the smoke test fails")                                                        \
	X(START, "start", "-", 0, "the new version does not come up")                                            \
	X(NO_BOOT, "no_boot", "-", 0, "the machine does not come up in the new slot: a boot loader falls back")  \
	X(HEALTH, "health", "ppm of the checks", 900000, "health checks fail")                                   \
	X(CRASH_LOOP, "crash_loop", "ends an hour", 60, "the workload ends again and again")                     \
	X(SLOW, "slow", "per mille of the latency", 4000, "requests take longer")                                \
	X(ERRORS, "errors", "ppm of the requests", 200000, "requests fail")                                      \
	X(REJECTS, "rejects", "ppm of the requests", 150000, "more of what the model sees is rejected")           \
	X(DRIFT, "drift", "thousandths of the score", 150, "the model is less sure of itself")                   \
	X(PANIC, "panic", "-", 0, "the machine crashes while the new version runs, and there is a record of it") \
	X(MUTE, "mute", "-", 0, "the device cannot be reached as long as it runs the new version")               \
	X(BRICK, "brick", "-", 0, "the device never comes up again, and nobody hears of it")

/*  id, name: what hits devices whatever they run; what `amount` is, its default; what it does */
#define SCENARIO_WEATHER_TABLE(X)                                                                                \
	X(OFFLINE, "offline", "-", 0, "no network")                                                              \
	X(ERRORS, "errors", "ppm of the requests", 300000, "requests fail: a cloud that answers 503")            \
	X(HEALTH, "health", "ppm of the checks", 900000, "health checks fail")                                   \
	X(SLOW, "slow", "per mille of the latency", 5000, "requests take longer")                                \
	X(QUIET, "quiet", "per mille of the requests", 10, "hardly any requests")                                \
	X(POWER, "power", "-", 0, "no power")                                                                    \
	X(CLOCK_AHEAD, "clock_ahead", "ms", 86400000, "wall clocks jump ahead")                                  \
	X(CLOCK_BACK, "clock_back", "ms", 86400000, "wall clocks jump back")

/*  id, name: what people do when the judge cannot tell */
#define SCENARIO_DOUBT_TABLE(X)                                        \
	X(ASK, "ask", "nothing: the simulation ends there")            \
	X(GO_ON, "go_on", "two of them let the next wave open")        \
	X(ROLL_BACK, "roll_back", "one of them orders everybody back")

/*  id, name: how a simulated campaign ends */
#define SCENARIO_END_TABLE(X)                                              \
	X(DONE, "done", "every wave has ended")                            \
	X(ABORTED, "aborted", "it was given up by itself")                 \
	X(STOPPED, "stopped", "a person has stopped it")                   \
	X(ASKS, "asks", "a person is waited for who does not come")        \
	X(TOO_LONG, "too_long", "not over within the horizon")
