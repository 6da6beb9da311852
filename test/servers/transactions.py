"""Transactional producers of Confluent's own client, several at once, doing step by step what the job says.

Enters: a JSON job on standard input: brokers, topic, partition, and steps:
  ["begin", PRODUCER] | ["produce", PRODUCER, KEY, VALUE] | ["abort", PRODUCER] | ["commit", PRODUCER]
PRODUCER is any name: its first step makes it. A record is on the broker before the next step begins.
"""

import json
import sys

from confluent_kafka import Producer

TIMEOUT_S = 30
job = json.load(sys.stdin)
producers = {}


def named(name):
    if name not in producers:
        producer = Producer({"bootstrap.servers": job["brokers"], "transactional.id": f"{job['topic']}-{name}"})
        producer.init_transactions(TIMEOUT_S)
        producers[name] = producer
    return producers[name]


for verb, name, *rest in job["steps"]:
    producer = named(name)
    if verb == "begin":
        producer.begin_transaction()
    elif verb == "produce":
        key, value = rest
        producer.produce(job["topic"], key=key.encode(), value=value.encode(), partition=job["partition"])
        if producer.flush(TIMEOUT_S):
            sys.exit(f"{name} could not produce")
    elif verb == "abort":
        producer.abort_transaction(TIMEOUT_S)
    elif verb == "commit":
        producer.commit_transaction(TIMEOUT_S)
    else:
        sys.exit(f"no such step: {verb}")
