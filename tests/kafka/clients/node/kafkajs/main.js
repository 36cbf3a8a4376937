'use strict'
// The story as kafkajs tells it. Arguments: BOOTSTRAP PREFIX.

const { CompressionCodecs, CompressionTypes, Kafka, Partitioners, ConfigResourceTypes, logLevel } = require('kafkajs')
const SnappyCodec = require('kafkajs-snappy')
const { Account, LOT, lot, run, say, times, until } = require('./story.js')

CompressionCodecs[CompressionTypes.Snappy] = SnappyCodec
const CODECS = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy }

const [bootstrap, prefix] = process.argv.slice(2)
const kafka = new Kafka({ brokers: [bootstrap], clientId: 'story', logLevel: logLevel.NOTHING })
const admin = kafka.admin()
const topic = `${prefix}-topic`

const toMessage = ({ value, key, number }) => ({ value, key, headers: { number } })
const fromMessage = ({ value, key, headers }) => ({ value: `${value}`, key: `${key}`, number: `${headers.number}` })

// A topic is there when the broker's metadata tell of it, which may be later than the answer.
async function create(name, numPartitions) {
  await admin.createTopics({ topics: [{ topic: name, numPartitions }], waitForLeaders: false })
  await until(async () => (await admin.listTopics()).includes(name))
}

async function producer(settings = {}) {
  const p = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, ...settings })
  await p.connect()
  return p
}

// How many were acknowledged. BY: a producer or a transaction.
async function produce(to, records, by, compression) {
  const before = await end(to)
  await by.send({ topic: to, acks: -1, compression, messages: records.map(toMessage) })
  return (await end(to)) - before
}

// The sum of the partitions' ends.
async function end(name) {
  return (await admin.fetchTopicOffsets(name)).reduce((sum, { high }) => sum + Number(high), 0)
}

// One member of a group that gives all messages to `take` and commits nothing by itself, or, with `commitsEach`, each message that was taken. `partitions` is
// what it has now, `next` the offsets behind what it took.
async function member(group, name, take, { commitsEach = false, ...settings } = {}) {
  const c = kafka.consumer({ groupId: group, heartbeatInterval: 200, maxWaitTimeInMs: 100, ...settings })
  c.partitions = 0
  c.next = new Map()
  c.on(c.events.GROUP_JOIN, ({ payload }) => (c.partitions = (payload.memberAssignment[name] || []).length))
  await c.connect()
  await c.subscribe({ topics: [name], fromBeginning: true })
  const eachMessage = async ({ partition, message }) => {
    if (!take(fromMessage(message))) return
    c.next.set(partition, `${Number(message.offset) + 1}`)
    if (commitsEach) await c.commitOffsets([{ topic: name, partition, offset: c.next.get(partition) }])
  }
  await c.run({ autoCommit: false, eachMessage })
  c.commit = () => c.commitOffsets([...c.next].map(([partition, offset]) => ({ topic: name, partition, offset })))
  return c
}

async function committed(group, name) {
  const [{ partitions }] = await admin.fetchOffsets({ groupId: group, topics: [name] })
  return partitions.map(({ offset }) => Number(offset)).filter((offset) => offset >= 0)
}

async function topics() {
  await create(topic, 4)
  const { partitions } = (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]
  say('create', `${partitions.length} partitions`)
  say('create-again', (await admin.createTopics({ topics: [{ topic, numPartitions: 4 }] })) ? 'no error' : 'TOPIC_ALREADY_EXISTS')
  say('list', (await admin.listTopics()).includes(topic) ? 'there' : 'not there')
  const [{ nodeId }] = (await admin.describeCluster()).brokers
  const led = partitions.every((p) => p.leader === nodeId && `${p.replicas}` === `${nodeId}` && `${p.isr}` === `${nodeId}`)
  say('describe', led ? `${partitions.length} partitions, each led by the one broker` : JSON.stringify(partitions))
  const resource = { type: ConfigResourceTypes.TOPIC, name: topic }
  await admin.alterConfigs({ validateOnly: false, resources: [{ ...resource, configEntries: [{ name: 'retention.ms', value: '123456' }] }] })
  const retention = async () => {
    const { resources } = await admin.describeConfigs({ resources: [{ ...resource, configNames: ['retention.ms'] }], includeSynonyms: false })
    return resources[0].configEntries[0].configValue
  }
  await until(async () => (await retention()) === '123456')
  say('config', `retention.ms=${await retention()}`)
}

async function resume() {
  const lots = []
  const p = await producer()
  for (const [name, compression] of Object.entries(CODECS)) {
    lots.push(lot(name))
    say(`produce-${name}`, `${await produce(topic, lots.at(-1), p, compression)} acknowledged`)
  }
  const account = new Account(...lots)
  const group = `${prefix}-group`
  let isReading = true
  const first = await member(group, topic, (record) => {
    if (!isReading) return false
    account.saw(record)
    isReading = account.seen() < LOT
    return true
  })
  await until(() => !isReading)
  await first.commit()
  await first.disconnect()
  say('first-member', account.seen() === LOT ? 'has read and committed a part' : `has read ${account.seen()}`)
  const second = await member(group, topic, (record) => account.saw(record) || true)
  await until(() => account.isComplete())
  await second.commit()
  await second.disconnect()
  say('next-member', `has read the rest, ${account}`)
  const total = (await committed(group, topic)).reduce((sum, offset) => sum + offset, 0)
  say('offsets', total === account.expected.size ? 'every record committed' : `${total} committed`)
  await admin.setOffsets({ groupId: group, topic, partitions: [{ partition: 0, offset: '0' }] })
  const [{ partitions }] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
  say('group-reset', `partition 0 is at ${partitions.find(({ partition }) => partition === 0).offset}`)
}

async function sharing() {
  const name = `${prefix}-share`
  const group = `${name}-group`
  await create(name, 4)
  const records = lot('share', 2 * LOT)
  const account = new Account(records)
  const take = (record) => account.saw(record) || true
  // A rebalance in the middle, as where a machine stands still for a while, reads again what is not committed.
  const a = await member(group, name, take, { commitsEach: true })
  await until(() => a.partitions === 4)
  const alone = a.partitions
  const b = await member(group, name, take, { commitsEach: true })
  await until(() => a.partitions === 2 && b.partitions === 2)
  say('share', `${alone}, then ${a.partitions} and ${b.partitions}`)
  await produce(name, records, await producer())
  await until(() => account.isComplete())
  say('share-read', account)
  const isListed = async () => (await admin.listGroups()).groups.some(({ groupId }) => groupId === group)
  say('group-list', (await isListed()) ? 'there' : 'not there')
  const described = (await admin.describeGroups([group])).groups[0]
  say('group-describe', `${described.state}, ${described.members.length} members`)
  say('group-delete-live', await admin.deleteGroups([group]).then(() => 'no error', (error) => error.groups[0].error.type))
  await a.commit()
  await b.commit()
  await b.disconnect()
  await until(() => a.partitions === 4)
  say('share-left', `${a.partitions} again`)
  await a.disconnect()
  await admin.deleteGroups([group])
  say('group-delete', (await isListed()) ? 'still there' : 'gone')
}

// What a reader sees of one partition: every record before the COUNT-th one that says "end".
async function read(name, readUncommitted, count = 1) {
  const seen = []
  let ends = 0
  const reader = await member(`${prefix}-reader-${process.hrtime.bigint()}`, name, (record) => {
    if (record.value === 'end') ends++
    else if (ends < count) seen.push(record)
  }, { readUncommitted })
  await until(() => ends >= count)
  await reader.disconnect()
  return seen
}

const endMark = async (name) => (await producer()).send({ topic: name, messages: [{ value: 'end', key: 'end', headers: { number: '' } }] })

async function byTime() {
  const name = `${prefix}-time`
  await create(name, 1)
  const { timestamps, between } = times()
  await (await producer()).send({ topic: name, messages: timestamps.map((timestamp) => ({ value: 'time', timestamp: `${timestamp}` })) })
  say('by-time', `offset ${(await admin.fetchTopicOffsetsByTimestamp(name, between))[0].offset}`)
}

async function logs() {
  const name = `${prefix}-log`
  await create(name, 1)
  const records = lot('idempotent')
  await produce(name, records, await producer({ idempotent: true, maxInFlightRequests: 1 }))
  await endMark(name)
  const seen = await read(name, false)
  const inOrder = seen.every(({ value }, i) => value === records[i].value)
  say('in-order', `${new Account(records).sawAll(seen)}, ${inOrder ? 'in order' : 'out of order'}`)
  const offsets = async () => (await admin.fetchTopicOffsets(name))[0]
  const { low, high } = await offsets()
  say('end-offsets', Number(low) === 0 && Number(high) === LOT + 1 ? '0 to the number of records' : `${low} ${high}`)
  await byTime()
  await admin.deleteTopicRecords({ topic: name, partitions: [{ partition: 0, offset: '10' }] })
  say('delete-records', `from ${(await offsets()).low} on`)
  await admin.createPartitions({ topicPartitions: [{ topic: name, count: 6 }] })
  const count = async () => (await admin.fetchTopicMetadata({ topics: [name] })).topics[0].partitions.length
  await until(async () => (await count()) === 6)
  say('grow', `${await count()} partitions`)
}

async function transactions() {
  const name = `${prefix}-txn`
  await create(name, 1)
  const [kept, dropped] = [lot('kept'), lot('dropped')]
  const transactional = { transactionalId: `${prefix}-id`, idempotent: true, maxInFlightRequests: 1 }
  const p = await producer(transactional)
  for (const [records, how] of [[kept, 'commit'], [dropped, 'abort']]) {
    const t = await p.transaction()
    await produce(name, records, t)
    await t[how]()
  }
  await endMark(name)
  say('txn-commit', new Account(kept).sawAll(await read(name, false)))
  const everything = new Account(kept, dropped).sawAll(await read(name, true))
  say('txn-abort', `${everything}` === 'each record once' ? 'none of it is committed' : everything)
  await move(name, kept, p)
  const younger = await (await producer(transactional)).transaction()
  await younger.abort()
  say('txn-fence', await fenced(p, name, dropped))
}

async function fenced(older, name, records) {
  try {
    const t = await older.transaction()
    await produce(name, records, t)
    await t.commit()
    return 'the older producer commits'
  } catch (error) {
    return /PRODUCER_FENCED|INVALID_PRODUCER_EPOCH/.test(error.type) ? 'the older producer is fenced' : `${error}`
  }
}

// Consume, transform, produce: a transaction with its group's offsets, aborted first.
async function move(source, records, p) {
  const target = `${prefix}-moved`
  const group = `${prefix}-move-group`
  await create(target, 1)
  for (const how of ['abort', 'commit']) {
    const taken = []
    const c = await member(group, source, (record) => record.value !== 'end' && taken.push(record))
    await until(() => taken.length >= LOT)
    const t = await p.transaction()
    await produce(target, taken, t)
    const partitions = [...c.next].map(([partition, offset]) => ({ partition, offset }))
    await t.sendOffsets({ consumerGroupId: group, topics: [{ topic: source, partitions }] })
    await t[how]()
    await c.disconnect()
    await endMark(target)
    const seen = await read(target, false, how === 'abort' ? 1 : 2)
    const offsets = await committed(group, source)
    if (how === 'abort') say('txn-move-abort', seen.length + offsets.length === 0 ? 'no record, no offset' : `${seen.length}, ${offsets}`)
    else say('txn-move', `${new Account(records).sawAll(seen)}, ${offsets[0] >= LOT ? 'every offset' : `offset ${offsets}`}`)
  }
}

async function remove() {
  const mine = async () => (await admin.listTopics()).filter((name) => name.startsWith(prefix))
  await admin.deleteTopics({ topics: await mine() })
  say('delete', (await until(async () => (await mine()).length === 0)) ? 'gone' : 'still there')
}

run(async () => {
  await admin.connect()
  await topics()
  await resume()
  await sharing()
  await logs()
  await transactions()
  await remove()
})
