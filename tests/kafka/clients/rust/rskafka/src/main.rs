//! The story as rskafka tells it. Arguments: BOOTSTRAP PREFIX. The client knows topics, partitions and records; groups and transactions it does not.

use std::collections::BTreeMap;
use std::env;
use std::future::Future;
use std::time::{Duration, Instant};

use rskafka::client::error::{Error, ProtocolError};
use rskafka::client::partition::{Compression, OffsetAt, PartitionClient, UnknownTopicHandling};
use rskafka::client::{Client, ClientBuilder};
use rskafka::record::Record;

type Outcome<T> = Result<T, Error>;

const LOT: usize = 100; // records of one lot
const WAIT: Duration = Duration::from_secs(60); // for anything that has to become true
const TIMEOUT_MS: i32 = 10_000; // of a request, at the broker
const FETCH_BYTES: std::ops::Range<i32> = 1..1_000_000;

const CODECS: [(&str, Compression); 5] = [
    ("none", Compression::NoCompression),
    ("gzip", Compression::Gzip),
    ("snappy", Compression::Snappy),
    ("lz4", Compression::Lz4),
    ("zstd", Compression::Zstd),
];

fn say(step: &str, outcome: impl std::fmt::Display) {
    println!("{step}: {outcome}");
}

/// Records of a lot; key and header follow from the value.
fn lot(name: &str) -> Vec<Record> {
    let timestamp = chrono::DateTime::from_timestamp_millis(chrono::Utc::now().timestamp_millis()).expect("now is a time");
    (0..LOT)
        .map(|i| Record {
            key: Some(format!("key-{}", i % 10).into_bytes()),
            value: Some(format!("{name}/{i}").into_bytes()),
            headers: BTreeMap::from([("number".to_owned(), i.to_string().into_bytes())]),
            timestamp,
        })
        .collect()
}

/// Repeats `is_true` until it says so, or for a minute; what it said last.
async fn until<F: Future<Output = Outcome<bool>>>(mut is_true: impl FnMut() -> F) -> Outcome<bool> {
    let end = Instant::now() + WAIT;
    loop {
        if is_true().await? {
            return Ok(true);
        }
        if Instant::now() > end {
            return Ok(false);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn partitions_of(client: &Client, name: &str) -> Outcome<usize> {
    let topics = client.list_topics().await?;
    Ok(topics.iter().find(|topic| topic.name == name).map_or(0, |topic| topic.partitions.len()))
}

async fn topics(client: &Client, name: &str) -> Outcome<()> {
    let controller = client.controller_client()?;
    controller.create_topic(name, 4, 1, TIMEOUT_MS).await?;
    until(async || Ok(partitions_of(client, name).await? == 4)).await?;
    say("create", format!("{} partitions", partitions_of(client, name).await?));
    match controller.create_topic(name, 4, 1, TIMEOUT_MS).await {
        Err(Error::ServerError {
            protocol_error: ProtocolError::TopicAlreadyExists,
            ..
        }) => say("create-again", "TOPIC_ALREADY_EXISTS"),
        other => say("create-again", format!("{other:?}")),
    }
    say("list", if partitions_of(client, name).await? > 0 { "there" } else { "not there" });
    Ok(())
}

/// Everything of a partition, in the order of its offsets, which have no gaps.
async fn read(partition: &PartitionClient) -> Outcome<Vec<Record>> {
    let end = partition.get_offset(OffsetAt::Latest).await?;
    let mut next = partition.get_offset(OffsetAt::Earliest).await?;
    let mut records = Vec::new();
    while next < end {
        let (more, _) = partition.fetch_records(next, FETCH_BYTES, 100).await?;
        for each in more.into_iter().filter(|each| each.offset >= next).collect::<Vec<_>>() {
            if each.offset != next {
                say("in-order", format!("offset {} after {next}", each.offset));
            }
            next = each.offset + 1;
            records.push(each.record);
        }
    }
    Ok(records)
}

async fn records(client: &Client, partition: &PartitionClient) -> Outcome<()> {
    let mut written = Vec::new();
    for (codec, compression) in CODECS {
        let records = lot(codec);
        let offsets = partition.produce(records.clone(), compression).await?;
        say(&format!("produce-{codec}"), format!("{} acknowledged", offsets.len()));
        written.extend(records);
    }
    let seen = read(partition).await?;
    say(
        "in-order",
        if seen == written {
            "each record once, in order".to_owned()
        } else {
            format!("{} of {}", seen.len(), written.len())
        },
    );
    let start = partition.get_offset(OffsetAt::Earliest).await?;
    let end = partition.get_offset(OffsetAt::Latest).await?;
    let is_whole = (start, end) == (0, written.len() as i64);
    say(
        "end-offsets",
        if is_whole {
            "0 to the number of records".to_owned()
        } else {
            format!("{start} {end}")
        },
    );
    by_time(client, &format!("{}-time", partition.topic())).await?;
    partition.delete_records(10, TIMEOUT_MS).await?;
    say("delete-records", format!("from {} on", partition.get_offset(OffsetAt::Earliest).await?));
    Ok(())
}

async fn by_time(client: &Client, name: &str) -> Outcome<()> {
    client.controller_client()?.create_topic(name, 1, 1, TIMEOUT_MS).await?;
    let partition = client.partition_client(name, 0, UnknownTopicHandling::Retry).await?;
    let mut records = lot("time");
    let first = records[0].timestamp - Duration::from_secs(60);
    for (i, record) in records.iter_mut().take(10).enumerate() {
        record.timestamp = first + Duration::from_secs(i as u64);
    }
    partition.produce(records, Compression::NoCompression).await?;
    let offset = partition.get_offset(OffsetAt::Timestamp(first + Duration::from_millis(4500))).await?;
    say("by-time", format!("offset {offset}"));
    client.controller_client()?.delete_topic(name, TIMEOUT_MS).await
}

async fn delete(client: &Client, name: &str) -> Outcome<()> {
    client.controller_client()?.delete_topic(name, TIMEOUT_MS).await?;
    let is_gone = until(async || Ok(partitions_of(client, name).await? == 0)).await?;
    say("delete", if is_gone { "gone" } else { "still there" });
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [bootstrap, prefix] = &arguments[..] else {
        panic!("usage: story BOOTSTRAP PREFIX")
    };
    let client = ClientBuilder::new(vec![bootstrap.clone()]).build().await?;
    let name = format!("{prefix}-topic");
    topics(&client, &name).await?;
    let partition = client.partition_client(&name, 0, UnknownTopicHandling::Retry).await?;
    records(&client, &partition).await?;
    delete(&client, &name).await
}
