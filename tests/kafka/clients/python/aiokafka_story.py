"""The story as aiokafka tells it. Arguments: BOOTSTRAP PREFIX."""

import asyncio
import sys
import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code

from story import CODECS, LOT, WAIT_S, Account, lot, say, times

bootstrap, prefix = sys.argv[1:3]
topic = f"{prefix}-topic"
admin = None  # one for the whole story; it needs a running loop


async def until(is_true, step=lambda: asyncio.sleep(0.02)):
    """Repeats step until is_true() or WAIT_S have passed; what is_true() said last."""
    end = time.monotonic() + WAIT_S
    while True:
        result = is_true()
        result = await result if asyncio.iscoroutine(result) else result
        if result or time.monotonic() > end:
            return result
        await step()


async def started(client):
    await client.start()
    return client


def producer(**settings):
    return started(AIOKafkaProducer(bootstrap_servers=bootstrap, **settings))


def consumer(name, group, **settings):
    return started(AIOKafkaConsumer(name, bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False, auto_offset_reset="earliest",
                                    heartbeat_interval_ms=200, metadata_max_age_ms=1000, **settings))


async def produce(to, records, by):
    """How many were acknowledged."""
    sent = [await by.send(to, value, key, headers=headers) for value, key, headers in records]
    return sum(1 for result in await asyncio.gather(*sent, return_exceptions=True) if not isinstance(result, Exception))


async def produce_once(to, records, **settings):
    by = await producer(**settings)
    count = await produce(to, records, by)
    await by.stop()
    return count


async def poll(consumers):
    return [r for c in consumers for records in (await c.getmany(timeout_ms=100, max_records=50)).values() for r in records]


async def read_into(account, *consumers):
    for r in await poll(consumers):
        account.saw(r.value, r.key, r.headers)


async def create(name, partitions):
    """A topic is there when the broker's metadata tell of it, which may be later than the answer. Returns the name of an error or None."""
    ((_, code, *_),) = (await admin.create_topics([NewTopic(name, partitions, 1)])).topic_errors
    if code:
        return for_code(code).message
    await until(lambda: has_partitions(name, partitions))


async def partitions_of(name):
    return (await admin.describe_topics([name]))[0]["partitions"]


async def has_partitions(name, count):
    return len(await partitions_of(name)) == count


async def topics():
    await create(topic, 4)
    shape = await partitions_of(topic)
    say("create", f"{len(shape)} partitions")
    say("create-again", await create(topic, 4))
    say("list", "there" if topic in await admin.list_topics() else "not there")
    broker = (await admin.describe_cluster())["brokers"][0]["node_id"]
    led = all(p["leader"] == broker and p["replicas"] == p["isr"] == [broker] for p in shape)
    say("describe", f"{len(shape)} partitions, each led by the one broker" if led else str(shape))
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"retention.ms": "123456"})])

    async def retention():
        (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"retention.ms": None})])
        return answer.to_object()["resources"][0]["config_entries"][0]["config_value"]

    async def is_set():
        return await retention() == "123456"

    await until(is_set)
    say("config", f"retention.ms={await retention()}")


async def resume():
    lots = []
    for codec in CODECS:
        lots.append(lot(codec))
        count = await produce_once(topic, lots[-1], compression_type=None if codec == "none" else codec)
        say(f"produce-{codec}", f"{count} acknowledged")
    account, group = Account(*lots), f"{prefix}-group"
    first = await consumer(topic, group)
    await until(lambda: account.seen() >= LOT, lambda: read_into(account, first))
    await first.commit()
    await first.stop()
    part = account.seen()
    say("first-member", "has read and committed a part" if LOT <= part < len(account.expected) else f"has read {part}")
    second = await consumer(topic, group)
    await until(account.is_complete, lambda: read_into(account, second))
    await second.commit()
    await second.stop()
    say("next-member", f"has read the rest, {account}")
    total = sum((await committed(group)).values())
    say("offsets", "every record committed" if total == len(account.expected) else f"{total} committed")


async def committed(group):
    return {partition: place.offset for partition, place in (await admin.list_consumer_group_offsets(group)).items() if place.offset >= 0}


async def sharing():
    name, group = f"{prefix}-share", f"{prefix}-share-group"
    await create(name, 4)
    records = lot("share", 2 * LOT)
    account = Account(records)
    a = await consumer(name, group)
    await until(lambda: len(a.assignment()) == 4, lambda: read_into(account, a))
    alone = len(a.assignment())
    b = await consumer(name, group)
    await until(lambda: len(a.assignment()) == len(b.assignment()) == 2, lambda: read_into(account, a, b))
    say("share", f"{alone}, then {len(a.assignment())} and {len(b.assignment())}")
    await produce_once(name, records)
    await until(account.is_complete, lambda: read_into(account, a, b))
    say("share-read", account)
    say("group-list", "there" if group in [each[0] for each in await admin.list_consumer_groups()] else "not there")
    described = (await admin.describe_consumer_groups([group]))[0].to_object()["groups"][0]
    say("group-describe", f"{described['state']}, {len(described['members'])} members")
    await a.commit()
    await b.commit()
    await b.stop()
    await until(lambda: len(a.assignment()) == 4, lambda: poll([a]))
    say("share-left", f"{len(a.assignment())} again")
    await a.stop()


async def read(name, isolation, ends=1):
    """What a reader of one partition sees before the record that says "end" for the last time."""
    c = await started(AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level=isolation, auto_offset_reset="earliest"))
    c.assign([TopicPartition(name, 0)])
    seen = []

    async def more():
        seen.extend(await poll([c]))

    await until(lambda: sum(1 for r in seen if r.value == b"end") >= ends, more)
    await c.stop()
    return [r for r in seen if r.value != b"end"]


def account_of(records, read_ones):
    account = Account(records)
    for r in read_ones:
        account.saw(r.value, r.key, r.headers)
    return account


def end_mark(name):
    return produce_once(name, [(b"end", b"end", [])])


async def by_time(c):
    name, partition = f"{prefix}-time", TopicPartition(f"{prefix}-time", 0)
    await create(name, 1)
    p = await producer()
    timestamps, between = times()
    for timestamp in timestamps:
        await p.send_and_wait(name, b"time", timestamp_ms=timestamp)
    await p.stop()
    say("by-time", f"offset {(await c.offsets_for_times({partition: between}))[partition].offset}")


async def logs():
    name = f"{prefix}-log"
    await create(name, 1)
    records = lot("idempotent")
    await produce_once(name, records, enable_idempotence=True)
    await end_mark(name)
    seen = await read(name, "read_committed")
    in_order = [r.value for r in seen] == [value for value, _, _ in records]
    say("in-order", f"{account_of(records, seen)}, {'in order' if in_order else 'out of order'}")
    partition = TopicPartition(name, 0)
    c = await started(AIOKafkaConsumer(bootstrap_servers=bootstrap))
    ends = (await c.beginning_offsets([partition]))[partition], (await c.end_offsets([partition]))[partition]
    say("end-offsets", "0 to the number of records" if ends == (0, LOT + 1) else ends)
    await by_time(c)
    await admin.delete_records({partition: RecordsToDelete(10)})
    say("delete-records", f"from {(await c.beginning_offsets([partition]))[partition]} on")
    await c.stop()
    await admin.create_partitions({name: NewPartitions(6)})
    await until(lambda: has_partitions(name, 6))
    say("grow", f"{len(await partitions_of(name))} partitions")


async def transactions():
    name = f"{prefix}-txn"
    await create(name, 1)
    kept, dropped = lot("kept"), lot("dropped")
    t = await producer(transactional_id=f"{prefix}-id")
    for records, end in ((kept, t.commit_transaction), (dropped, t.abort_transaction)):
        await t.begin_transaction()
        await produce(name, records, t)
        await end()
    await end_mark(name)
    say("txn-commit", account_of(kept, await read(name, "read_committed")))
    everything = account_of(kept + dropped, await read(name, "read_uncommitted"))
    say("txn-abort", "none of it is committed" if str(everything) == "each record once" else everything)
    await move(name, kept, t)
    younger = await producer(transactional_id=f"{prefix}-id")
    try:
        await t.begin_transaction()
        await (await t.send(name, b"late"))
        await t.commit_transaction()
        say("txn-fence", "the older producer commits")
    except KafkaError as e:
        say("txn-fence", "the older producer is fenced" if "ProducerFenced" in repr(e) or "InvalidProducerEpoch" in repr(e) else repr(e))
    await younger.stop()


async def move(source, records, t):
    """Consume, transform, produce: a transaction with its group's offsets, aborted first."""
    target, group = f"{prefix}-moved", f"{prefix}-move-group"
    await create(target, 1)
    for ends, end in ((1, t.abort_transaction), (2, t.commit_transaction)):
        c = await consumer(source, group, isolation_level="read_committed")
        taken = []

        async def more():
            taken.extend(r for r in await poll([c]) if r.value != b"end")

        await until(lambda: len(taken) >= LOT, more)
        await t.begin_transaction()
        await produce(target, [(r.value, r.key, list(r.headers)) for r in taken], t)
        await t.send_offsets_to_transaction({p: await c.position(p) for p in c.assignment()}, group)
        await end()
        await c.stop()
        await end_mark(target)
        moved, offsets = account_of(records, await read(target, "read_committed", ends)), await committed(group)
        if ends == 1:
            say("txn-move-abort", "no record, no offset" if moved.seen() == 0 and not offsets else f"{moved.seen()} records, {offsets}")
    place = offsets.get(TopicPartition(source, 0), -1)
    say("txn-move", f"{moved}, every offset" if place >= LOT else f"{moved}, offset {place}")


async def delete():
    async def mine():
        return [n for n in await admin.list_topics() if n.startswith(prefix)]

    async def none_is_left():
        return not await mine()

    await admin.delete_topics(await mine())
    say("delete", "gone" if await until(none_is_left) else "still there")


async def main():
    global admin
    admin = await started(AIOKafkaAdminClient(bootstrap_servers=bootstrap))
    for part in (topics, resume, sharing, logs, transactions, delete):
        await part()
    await admin.close()


asyncio.run(main())
