"""The story as kafka-python tells it. Arguments: BOOTSTRAP PREFIX."""

import sys
import threading

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
from kafka.admin import ConfigResource, OffsetSpec
from kafka.errors import KafkaError, TopicAlreadyExistsError

from story import CODECS, LOT, Account, lot, say, times, until

bootstrap, prefix = sys.argv[1:3]
topic = f"{prefix}-topic"
admin = KafkaAdminClient(bootstrap_servers=bootstrap)


def producer(**settings):
    return KafkaProducer(bootstrap_servers=bootstrap, **settings)


def consumer(name, group, **settings):
    return KafkaConsumer(name, bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False, auto_offset_reset="earliest",
                         heartbeat_interval_ms=200, **settings)


def produce(to, records, by):
    """How many were acknowledged."""
    sent = [by.send(to, value, key, headers) for value, key, headers in records]
    by.flush(60)
    return sum(1 for each in sent if each.succeeded())


def poll(c):
    """A poll that ends while its member joins can leave that one without partitions for ever, so it is a long one; records end it at once."""
    return [r for records in c.poll(5000, max_records=50).values() for r in records]


def read_into(account, c):
    for r in poll(c):
        account.saw(r.value, r.key, r.headers)


class Member(threading.Thread):
    """A member of a group whose polls go on in a thread, until it leaves."""

    def __init__(self, name, group, account):
        super().__init__(daemon=True)
        self.consumer, self.account, self.is_leaving = consumer(name, group), account, False
        self.start()

    def run(self):
        while not self.is_leaving:
            read_into(self.account, self.consumer)
        self.consumer.commit()
        self.consumer.close(autocommit=False)

    def partitions(self):
        return len(self.consumer.assignment())

    def leave(self):
        self.is_leaving = True
        self.join()


def create(name, partitions):
    """A topic is there when the broker's metadata tell of it, which may be later than the answer."""
    admin.create_topics({name: {"num_partitions": partitions, "replication_factor": 1}}, wait_for_metadata=True)


def partitions_of(name):
    return admin.describe_topics([name])[0]["partitions"]


def again():
    try:
        create(topic, 4)
        return "no error"
    except TopicAlreadyExistsError as e:
        return e.message


def topics():
    create(topic, 4)
    shape = partitions_of(topic)
    say("create", f"{len(shape)} partitions")
    say("create-again", again())
    say("list", "there" if topic in admin.list_topics() else "not there")
    broker = admin.describe_cluster()["brokers"][0]["broker_id"]
    led = all(p["leader_id"] == broker and p["replica_nodes"] == p["isr_nodes"] == [broker] for p in shape)
    say("describe", f"{len(shape)} partitions, each led by the one broker" if led else str(shape))
    admin.alter_configs([ConfigResource("topic", topic, {"retention.ms": "123456"})])
    until(lambda: retention() == "123456")
    say("config", f"retention.ms={retention()}")


def retention():
    described = admin.describe_configs([ConfigResource("topic", topic, {"retention.ms": None})], config_filter="all")
    return described["topic"][topic]["retention.ms"]["value"]


def resume():
    lots = []
    for codec in CODECS:
        lots.append(lot(codec))
        say(f"produce-{codec}", f"{produce(topic, lots[-1], producer(compression_type=None if codec == 'none' else codec))} acknowledged")
    account, group = Account(*lots), f"{prefix}-group"
    first = consumer(topic, group)
    until(lambda: account.seen() >= LOT, lambda: read_into(account, first))
    first.commit()
    first.close(autocommit=False)
    part = account.seen()
    say("first-member", "has read and committed a part" if LOT <= part < len(account.expected) else f"has read {part}")
    second = consumer(topic, group)
    until(account.is_complete, lambda: read_into(account, second))
    second.commit()
    second.close(autocommit=False)
    say("next-member", f"has read the rest, {account}")
    total = sum(committed(group).values())
    say("offsets", "every record committed" if total == len(account.expected) else f"{total} committed")
    admin.alter_group_offsets(group, {TopicPartition(topic, 0): OffsetAndMetadata(0, "", -1)})
    say("group-reset", f"partition 0 is at {committed(group)[TopicPartition(topic, 0)]}")


def committed(group):
    return {partition: place.offset for partition, place in admin.list_group_offsets(group)[group].items() if place.offset >= 0}


def groups():
    return [g["group_id"] for g in admin.list_groups()]


def sharing():
    name, group = f"{prefix}-share", f"{prefix}-share-group"
    create(name, 4)
    records = lot("share", 2 * LOT)
    account = Account(records)
    a = Member(name, group, account)
    until(lambda: a.partitions() == 4)
    alone = a.partitions()
    b = Member(name, group, account)
    until(lambda: a.partitions() == b.partitions() == 2)
    say("share", f"{alone}, then {a.partitions()} and {b.partitions()}")
    produce(name, records, producer())
    until(account.is_complete)
    say("share-read", account)
    say("group-list", "there" if group in groups() else "not there")
    described = admin.describe_groups([group])[group]
    say("group-describe", f"{described['group_state']}, {len(described['members'])} members")
    error = admin.delete_groups([group])[group]
    say("group-delete-live", "NON_EMPTY_GROUP" if error == "NonEmptyGroupError" else error)
    b.leave()
    until(lambda: a.partitions() == 4)
    say("share-left", f"{a.partitions()} again")
    a.leave()
    admin.delete_groups([group])
    say("group-delete", "still there" if group in groups() else "gone")


def offset(partition, spec):
    return admin.list_partition_offsets({partition: spec})[partition].offset


def read(name, isolation, ends=1):
    """What a reader of one partition sees before the record that says "end" for the last time."""
    c = KafkaConsumer(bootstrap_servers=bootstrap, isolation_level=isolation, auto_offset_reset="earliest")
    c.assign([TopicPartition(name, 0)])
    seen = []
    until(lambda: sum(1 for r in seen if r.value == b"end") >= ends, lambda: seen.extend(poll(c)))
    c.close()
    return [r for r in seen if r.value != b"end"]


def account_of(records, read_ones):
    account = Account(records)
    for r in read_ones:
        account.saw(r.value, r.key, r.headers)
    return account


def end_mark(name):
    producer().send(name, b"end").get(60)


def by_time():
    name, p = f"{prefix}-time", producer()
    create(name, 1)
    timestamps, between = times()
    for timestamp in timestamps:
        p.send(name, b"time", timestamp_ms=timestamp)
    p.flush(60)
    say("by-time", f"offset {offset(TopicPartition(name, 0), between)}")


def logs():
    name = f"{prefix}-log"
    create(name, 1)
    records = lot("idempotent")
    produce(name, records, producer(enable_idempotence=True))
    end_mark(name)
    seen = read(name, "read_committed")
    in_order = [r.value for r in seen] == [value for value, _, _ in records]
    say("in-order", f"{account_of(records, seen)}, {'in order' if in_order else 'out of order'}")
    partition = TopicPartition(name, 0)
    ends = offset(partition, OffsetSpec.EARLIEST), offset(partition, OffsetSpec.LATEST)
    say("end-offsets", "0 to the number of records" if ends == (0, LOT + 1) else ends)
    by_time()
    admin.delete_records({partition: 10})
    say("delete-records", f"from {offset(partition, OffsetSpec.EARLIEST)} on")
    admin.create_partitions({name: 6})
    until(lambda: len(partitions_of(name)) == 6)
    say("grow", f"{len(partitions_of(name))} partitions")


def transactions():
    name = f"{prefix}-txn"
    create(name, 1)
    kept, dropped = lot("kept"), lot("dropped")
    t = producer(transactional_id=f"{prefix}-id")
    t.init_transactions()
    for records, end in ((kept, t.commit_transaction), (dropped, t.abort_transaction)):
        t.begin_transaction()
        produce(name, records, t)
        end()
    end_mark(name)
    say("txn-commit", account_of(kept, read(name, "read_committed")))
    everything = account_of(kept + dropped, read(name, "read_uncommitted"))
    say("txn-abort", "none of it is committed" if str(everything) == "each record once" else everything)
    move(name, kept, t)
    younger = producer(transactional_id=f"{prefix}-id")
    younger.init_transactions()
    try:
        t.begin_transaction()
        produce(name, dropped, t)
        t.commit_transaction()
        say("txn-fence", "the older producer commits")
    except KafkaError as e:
        say("txn-fence", "the older producer is fenced" if "ProducerFenced" in str(e) or "InvalidProducerEpoch" in str(e) else e)


def move(source, records, t):
    """Consume, transform, produce: a transaction with its group's offsets, aborted first."""
    target, group = f"{prefix}-moved", f"{prefix}-move-group"
    create(target, 1)
    for ends, end in ((1, t.abort_transaction), (2, t.commit_transaction)):
        c = consumer(source, group, isolation_level="read_committed")
        taken = []
        until(lambda: len(taken) >= LOT, lambda: taken.extend(r for r in poll(c) if r.value != b"end"))
        t.begin_transaction()
        produce(target, [(r.value, r.key, r.headers) for r in taken], t)
        places = {p: OffsetAndMetadata(c.position(p), "", -1) for p in c.assignment()}
        t.send_offsets_to_transaction(places, c.group_metadata())
        end()
        c.close(autocommit=False)
        end_mark(target)
        moved, offsets = account_of(records, read(target, "read_committed", ends)), committed(group)
        if ends == 1:
            say("txn-move-abort", "no record, no offset" if moved.seen() == 0 and not offsets else f"{moved.seen()} records, {offsets}")
    place = offsets.get(TopicPartition(source, 0), -1)
    say("txn-move", f"{moved}, every offset" if place >= LOT else f"{moved}, offset {place}")


def delete():
    names = [n for n in admin.list_topics() if n.startswith(prefix)]
    admin.delete_topics(names)
    gone = until(lambda: not any(n.startswith(prefix) for n in admin.list_topics()))
    say("delete", "gone" if gone else "still there")


topics()
resume()
sharing()
logs()
transactions()
delete()
