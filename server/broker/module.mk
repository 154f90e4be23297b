MODULES += server/broker
