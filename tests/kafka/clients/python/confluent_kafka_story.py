"""The story as confluent-kafka (librdkafka) tells it. Arguments: BOOTSTRAP PREFIX."""

import sys

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic, OffsetSpec

from story import CODECS, LOT, Account, lot, say, times, until

bootstrap, prefix = sys.argv[1:3]
topic = f"{prefix}-topic"
admin = AdminClient({"bootstrap.servers": bootstrap})


def only(futures):
    return next(iter(futures.values())).result(60)


def error_of(futures):
    try:
        only(futures)
        return "no error"
    except KafkaException as e:
        return e.args[0].name()


def producer(**settings):
    return Producer({"bootstrap.servers": bootstrap, **{name.replace("_", "."): value for name, value in settings.items()}})


def consumer(group, **settings):
    settings = {name.replace("_", "."): value for name, value in settings.items()}
    return Consumer({"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False, "auto.offset.reset": "earliest", **settings})


def produce(to, records, by, partition=None):
    """How many were acknowledged."""
    acknowledged = []
    where = {} if partition is None else {"partition": partition}
    for value, key, headers in records:
        by.produce(to, value, key, headers=headers, on_delivery=lambda error, _: acknowledged.append(error is None), **where)
    by.flush(60)
    return sum(acknowledged)


def poll(consumers, account):
    for c in consumers:
        for m in c.consume(50, 0.1):
            if m.error() is None:
                account.saw(m.value(), m.key(), m.headers())


def create(name, partitions):
    """A topic is there when the broker's metadata tell of it, which may be later than the answer."""
    only(admin.create_topics([NewTopic(name, partitions, 1)]))
    until(lambda: name in admin.list_topics(timeout=10).topics)


def retention():
    return only(admin.describe_configs([ConfigResource("topic", topic)]))["retention.ms"].value


def topics():
    create(topic, 4)
    shape = admin.list_topics(topic, 10).topics[topic].partitions.values()
    say("create", f"{len(shape)} partitions")
    say("create-again", error_of(admin.create_topics([NewTopic(topic, 4, 1)])))
    everything = admin.list_topics(timeout=10)
    say("list", "there" if topic in everything.topics else "not there")
    broker = next(iter(everything.brokers))
    led = all(p.leader == broker and p.replicas == p.isrs == [broker] for p in shape)
    say("describe", f"{len(shape)} partitions, each led by the one broker" if led else str(shape))
    entry = ConfigEntry("retention.ms", "123456", incremental_operation=AlterConfigOpType.SET)
    only(admin.incremental_alter_configs([ConfigResource("topic", topic, incremental_configs=[entry])]))
    until(lambda: retention() == "123456")
    say("config", f"retention.ms={retention()}")


def resume():
    lots = []
    for codec in CODECS:
        lots.append(lot(codec))
        say(f"produce-{codec}", f"{produce(topic, lots[-1], producer(compression_type=codec))} acknowledged")
    account = Account(*lots)
    first = consumer(f"{prefix}-group")
    first.subscribe([topic])
    until(lambda: account.seen() >= LOT, lambda: poll([first], account))
    first.commit(asynchronous=False)
    first.close()
    part = account.seen()
    say("first-member", "has read and committed a part" if LOT <= part < len(account.expected) else f"has read {part}")
    second = consumer(f"{prefix}-group")
    second.subscribe([topic])
    until(account.is_complete, lambda: poll([second], account))
    second.commit(asynchronous=False)
    second.close()
    say("next-member", f"has read the rest, {account}")
    committed = only(admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(f"{prefix}-group")])).topic_partitions
    total = sum(p.offset for p in committed)
    say("offsets", "every record committed" if total == len(account.expected) else f"{total} committed")
    start = ConsumerGroupTopicPartitions(f"{prefix}-group", [TopicPartition(topic, 0, 0)])
    only(admin.alter_consumer_group_offsets([start]))
    (place,) = only(admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(f"{prefix}-group", [TopicPartition(topic, 0)])])).topic_partitions
    say("group-reset", f"partition 0 is at {place.offset}")


def state_of(group):
    description = only(admin.describe_consumer_groups([group]))
    return f"{description.state.name.capitalize()}, {len(description.members)} members"


def groups():
    return [g.group_id for g in admin.list_consumer_groups().result(60).valid]


def share(name, **settings):
    """Two members at once share the partitions of a topic; the first has all of them when the second is gone. Returns that first one and the group."""
    shared, group = f"{prefix}-{name}", f"{prefix}-{name}-group"
    create(shared, 4)
    records = lot(name, 2 * LOT)
    account = Account(records)
    a, b = consumer(group, **settings), consumer(group, **settings)
    a.subscribe([shared])
    until(lambda: len(a.assignment()) == 4, lambda: poll([a], account))
    alone = len(a.assignment())
    b.subscribe([shared])
    until(lambda: len(a.assignment()) == len(b.assignment()) == 2, lambda: poll([a, b], account))
    say(name, f"{alone}, then {len(a.assignment())} and {len(b.assignment())}")
    produce(shared, records, producer())
    until(account.is_complete, lambda: poll([a, b], account))
    say(f"{name}-read", account)
    return a, b, group


def left(name, a, b):
    a.commit(asynchronous=False)
    b.commit(asynchronous=False)
    b.close()
    until(lambda: len(a.assignment()) == 4, lambda: poll([a], Account()))
    say(f"{name}-left", f"{len(a.assignment())} again")
    a.close()


def sharing():
    a, b, group = share("share")
    say("group-list", "there" if group in groups() else "not there")
    say("group-describe", state_of(group))
    say("group-delete-live", error_of(admin.delete_consumer_groups([group])))
    left("share", a, b)
    only(admin.delete_consumer_groups([group]))
    say("group-delete", "still there" if group in groups() else "gone")
    a, b, group = share("consumer-share", group_protocol="consumer")
    say("consumer-share-describe", state_of(group))
    left("consumer-share", a, b)


def offset(partition, spec):
    return only(admin.list_offsets({partition: spec})).offset


def by_time():
    name, p = f"{prefix}-time", producer()
    create(name, 1)
    timestamps, between = times()
    for timestamp in timestamps:
        p.produce(name, b"time", timestamp=timestamp)
    p.flush(60)
    say("by-time", f"offset {offset(TopicPartition(name, 0), OffsetSpec.for_timestamp(between))}")


def logs():
    name = f"{prefix}-log"
    create(name, 1)
    records, order = lot("idempotent"), []
    account = Account(records)
    produce(name, records, producer(enable_idempotence=True))
    c = consumer(f"{prefix}-log-group")
    c.assign([TopicPartition(name, 0, 0)])
    while len(order) < LOT and (m := c.poll(60)) is not None:
        order.append(m.value())
        account.saw(m.value(), m.key(), m.headers())
    c.close()
    say("in-order", f"{account}, in order" if order == [r[0] for r in records] else f"{account}, out of order")
    partition = TopicPartition(name, 0)
    ends = offset(partition, OffsetSpec.earliest()), offset(partition, OffsetSpec.latest())
    say("end-offsets", "0 to the number of records" if ends == (0, LOT) else ends)
    by_time()
    only(admin.delete_records([TopicPartition(name, 0, 10)]))
    say("delete-records", f"from {offset(partition, OffsetSpec.earliest())} on")
    only(admin.create_partitions([NewPartitions(name, 6)]))
    until(lambda: len(admin.list_topics(name, 10).topics[name].partitions) == 6)
    say("grow", f"{len(admin.list_topics(name, 10).topics[name].partitions)} partitions")


def read(name, isolation):
    """What a reader of one partition sees up to its end."""
    c = Consumer({"bootstrap.servers": bootstrap, "group.id": f"{prefix}-reader", "isolation.level": isolation, "enable.partition.eof": True})
    c.assign([TopicPartition(name, 0, 0)])
    seen = []
    while (m := c.poll(60)) is not None and m.error() is None:
        seen.append(m)
    c.close()
    return seen


def account_of(records, messages):
    account = Account(records)
    for m in messages:
        account.saw(m.value(), m.key(), m.headers())
    return account


def transactions():
    name = f"{prefix}-txn"
    create(name, 1)
    kept, dropped = lot("kept"), lot("dropped")
    t = producer(transactional_id=f"{prefix}-id")
    t.init_transactions(60)
    for records, end in ((kept, t.commit_transaction), (dropped, t.abort_transaction)):
        t.begin_transaction()
        produce(name, records, t)
        end(60)
    committed = account_of(kept, read(name, "read_committed"))
    everything = account_of(kept + dropped, read(name, "read_uncommitted"))
    say("txn-commit", committed)
    say("txn-abort", "none of it is committed" if str(everything) == "each record once" else everything)
    move(name, kept, t)
    younger = producer(transactional_id=f"{prefix}-id")
    younger.init_transactions(60)
    try:
        t.begin_transaction()
        produce(name, dropped, t)
        t.commit_transaction(60)
        say("txn-fence", "the older producer commits")
    except KafkaException as e:
        fenced = e.args[0].name() in ("_FENCED", "PRODUCER_FENCED", "INVALID_PRODUCER_EPOCH")
        say("txn-fence", "the older producer is fenced" if fenced else e)


def move(source, records, t):
    """Consume, transform, produce: a transaction with its group's offsets, aborted first."""
    target, group = f"{prefix}-moved", f"{prefix}-move-group"
    create(target, 1)

    def committed():
        return only(admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])).topic_partitions

    for end in (t.abort_transaction, t.commit_transaction):
        c = consumer(group, isolation_level="read_committed")
        c.subscribe([source])
        taken = []
        until(lambda: len(taken) >= LOT, lambda: taken.extend(c.consume(50, 0.1)))
        t.begin_transaction()
        produce(target, [(m.value(), m.key(), m.headers()) for m in taken], t)
        t.send_offsets_to_transaction(c.position(c.assignment()), c.consumer_group_metadata(), 60)
        end(60)
        c.close()
        moved, offsets = account_of(records, read(target, "read_committed")), committed()
        if end == t.abort_transaction:
            say("txn-move-abort", "no record, no offset" if moved.seen() == 0 and not offsets else f"{moved.seen()} records, {offsets}")
    place = offsets[0].offset if offsets else -1
    say("txn-move", f"{moved}, every offset" if place >= LOT else f"{moved}, offset {place}")


def delete():
    names = [n for n in admin.list_topics(timeout=10).topics if n.startswith(prefix)]
    for future in admin.delete_topics(names).values():
        future.result(60)
    gone = until(lambda: not any(n.startswith(prefix) for n in admin.list_topics(timeout=10).topics))
    say("delete", "gone" if gone else "still there")


topics()
resume()
sharing()
logs()
transactions()
delete()
