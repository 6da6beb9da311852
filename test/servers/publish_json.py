"""Publishes JSON values with Confluent's own client.

Enters: a JSON job on standard input: brokers, topic, and records as [key, value] pairs of text.
"""

import json
import sys

from confluent_kafka import Producer

job = json.load(sys.stdin)
producer = Producer({"bootstrap.servers": job["brokers"], "partitioner": "murmur2_random"})
failures = []
for key, value in job["records"]:
    producer.produce(
        job["topic"],
        key=key.encode("utf-8"),
        value=value.encode("utf-8"),
        on_delivery=lambda error, _: error and failures.append(str(error)),
    )
left = producer.flush(20)
if left or failures:
    sys.exit(f"not acknowledged: {left} left, {failures}")
