"""Publishes one change as Avro with Confluent's own client, as a Python team would: their serializer, our schema file.

Enters: a JSON job on standard input: brokers, registry, topic, schema (text), key, value (fields that are instants or
bytes are named in `instants` and `documents`), and how the schema comes to be known: `auto`, `registered` or `latest`.
"""

import json
import sys
from datetime import datetime

from confluent_kafka import Producer
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

job = json.load(sys.stdin)
registry = SchemaRegistryClient({"url": job["registry"]})
subject = job["topic"] + "-value"

if job["known"] != "auto":
    registry.register_schema(subject, Schema(job["schema"], "AVRO"))
settings = {
    "auto": {"auto.register.schemas": True},
    "registered": {"auto.register.schemas": False},
    "latest": {"auto.register.schemas": False, "use.latest.version": True},
}[job["known"]]
serialize = AvroSerializer(registry, None if job["known"] == "latest" else job["schema"], conf=settings)

value = dict(job["value"])
for name in job["instants"]:
    value[name] = datetime.fromisoformat(value[name])
for name in job["documents"]:
    value[name] = value[name].encode("utf-8")

producer = Producer({"bootstrap.servers": job["brokers"], "partitioner": "murmur2_random"})
failures = []
producer.produce(
    job["topic"],
    key=job["key"].encode("utf-8"),
    value=serialize(value, SerializationContext(job["topic"], MessageField.VALUE)),
    on_delivery=lambda error, _: error and failures.append(str(error)),
)
left = producer.flush(20)
if left or failures:
    sys.exit(f"not acknowledged: {left} left, {failures}")
