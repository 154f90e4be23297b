MODULES += agent

PROGRAMS += backstay-agent
backstay-agent_MAIN := agent/main.c
