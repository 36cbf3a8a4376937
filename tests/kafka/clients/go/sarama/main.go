// The story as sarama tells it. Arguments: BOOTSTRAP PREFIX.
package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"
	"story"
)

var (
	bootstrap, prefix = story.Arguments()
	client            = story.Must(sarama.NewClient([]string{bootstrap}, config()))
	admin             = story.Must(sarama.NewClusterAdminFromClient(client))
	topic             = prefix + "-topic"
	codecs            = map[string]sarama.CompressionCodec{
		"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy, "lz4": sarama.CompressionLZ4,
		"zstd": sarama.CompressionZSTD,
	}
)

func config(changes ...func(*sarama.Config)) *sarama.Config {
	c := sarama.NewConfig()
	c.Version = sarama.MaxVersion
	c.Producer.Return.Successes = true
	c.Producer.RequiredAcks = sarama.WaitForAll
	c.Consumer.Offsets.AutoCommit.Enable = false
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	c.Consumer.MaxWaitTime = 100 * time.Millisecond
	c.Consumer.Group.Heartbeat.Interval = 200 * time.Millisecond
	for _, change := range changes {
		change(c)
	}
	return c
}

func transactional(id string) func(*sarama.Config) {
	return func(c *sarama.Config) {
		idempotent(c)
		c.Producer.Transaction.ID = id
	}
}

func idempotent(c *sarama.Config) {
	c.Producer.Idempotent = true
	c.Net.MaxOpenRequests = 1
}

func readCommitted(c *sarama.Config) { c.Consumer.IsolationLevel = sarama.ReadCommitted }

func producer(changes ...func(*sarama.Config)) sarama.SyncProducer {
	return story.Must(sarama.NewSyncProducer([]string{bootstrap}, config(changes...)))
}

func toMessages(to string, records []story.Record) []*sarama.ProducerMessage {
	result := make([]*sarama.ProducerMessage, len(records))
	for i, r := range records {
		headers := []sarama.RecordHeader{{Key: []byte("number"), Value: []byte(r.Number)}}
		result[i] = &sarama.ProducerMessage{Topic: to, Value: sarama.StringEncoder(r.Value), Key: sarama.StringEncoder(r.Key), Headers: headers}
	}
	return result
}

func fromMessage(m *sarama.ConsumerMessage) story.Record {
	result := story.Record{Value: string(m.Value), Key: string(m.Key)}
	for _, h := range m.Headers {
		result.Number = string(h.Value)
	}
	return result
}

// produce returns how many were acknowledged.
func produce(to string, records []story.Record, by sarama.SyncProducer) int {
	var failed sarama.ProducerErrors
	if err := by.SendMessages(toMessages(to, records)); err != nil && !errors.As(err, &failed) {
		panic(err)
	}
	return len(records) - len(failed)
}

// member of a group. It takes records until take says that it is enough, and commits only when told to.
type member struct {
	group      sarama.ConsumerGroup
	name       string
	take       func(story.Record) (isEnough bool)
	partitions atomic.Int32
	stop       context.CancelFunc
	enough     chan struct{}
	once       sync.Once
	stopped    chan struct{}
	mutex      sync.Mutex
	session    sarama.ConsumerGroupSession
}

func join(group, name string, take func(story.Record) bool, changes ...func(*sarama.Config)) *member {
	m := &member{name: name, take: take, enough: make(chan struct{}), stopped: make(chan struct{})}
	m.group = story.Must(sarama.NewConsumerGroup([]string{bootstrap}, group, config(changes...)))
	ctx, stop := context.WithCancel(context.Background())
	m.stop = stop
	go func() {
		defer close(m.stopped)
		for ctx.Err() == nil {
			if err := m.group.Consume(ctx, []string{name}, m); err != nil {
				return
			}
		}
	}()
	return m
}

// Setup begins a generation.
func (m *member) Setup(session sarama.ConsumerGroupSession) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.session = session
	m.partitions.Store(int32(len(session.Claims()[m.name])))
	return nil
}

// Cleanup ends a generation.
func (m *member) Cleanup(sarama.ConsumerGroupSession) error {
	m.partitions.Store(0)
	return nil
}

// ConsumeClaim reads one partition.
func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case <-session.Context().Done():
			return nil
		case message := <-claim.Messages():
			if message == nil {
				return nil
			}
			m.takeOne(session, message)
		}
	}
}

// Records that come after enough were taken are left to the next member.
func (m *member) takeOne(session sarama.ConsumerGroupSession, message *sarama.ConsumerMessage) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	select {
	case <-m.enough:
		return
	default:
	}
	isEnough := m.take(fromMessage(message))
	session.MarkMessage(message, "")
	if isEnough {
		m.once.Do(func() { close(m.enough) })
	}
}

func (m *member) has(count int32) func() bool {
	return func() bool { return m.partitions.Load() == count }
}

func (m *member) commit() {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.session.Commit()
}

func (m *member) leave() {
	m.stop()
	<-m.stopped
	story.Check(m.group.Close())
}

// create makes a topic, which is there when the broker's metadata tell of it; that may be later than the answer.
func create(name string, partitions int32) {
	story.Check(admin.CreateTopic(name, &sarama.TopicDetail{NumPartitions: partitions, ReplicationFactor: 1}, false))
	story.Until(func() bool { return len(shape(name)) == int(partitions) })
	story.Check(client.RefreshMetadata(name))
}

func shape(name string) []*sarama.PartitionMetadata {
	return story.Must(admin.DescribeTopics([]string{name}))[0].Partitions
}

// The client has texts for errors, not names.
func nameOf(err error) string {
	switch {
	case errors.Is(err, sarama.ErrTopicAlreadyExists):
		return "TOPIC_ALREADY_EXISTS"
	case errors.Is(err, sarama.ErrNonEmptyGroup):
		return "NON_EMPTY_GROUP"
	}
	return fmt.Sprint(err)
}

func topics() {
	create(topic, 4)
	partitions := shape(topic)
	story.Say("create", fmt.Sprintf("%d partitions", len(partitions)))
	story.Say("create-again", nameOf(admin.CreateTopic(topic, &sarama.TopicDetail{NumPartitions: 4, ReplicationFactor: 1}, false)))
	_, isListed := story.Must(admin.ListTopics())[topic]
	story.Say("list", story.Either(isListed, "there", "not there"))
	brokers, _, err := admin.DescribeCluster()
	story.Check(err)
	isLed := true
	for _, p := range partitions {
		only := fmt.Sprintf("%d [%[1]d] [%[1]d]", brokers[0].ID())
		isLed = isLed && fmt.Sprint(p.Leader, p.Replicas, p.Isr) == only
	}
	story.Say("describe", story.Either(isLed, fmt.Sprintf("%d partitions, each led by the one broker", len(partitions)), partitions))
	value := "123456"
	entries := map[string]sarama.IncrementalAlterConfigsEntry{"retention.ms": {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &value}}
	story.Check(admin.IncrementalAlterConfig(sarama.TopicResource, topic, entries, false))
	story.Until(func() bool { return retention() == value })
	story.Say("config", "retention.ms="+retention())
}

func retention() string {
	resource := sarama.ConfigResource{Type: sarama.TopicResource, Name: topic, ConfigNames: []string{"retention.ms"}}
	return story.Must(admin.DescribeConfig(resource))[0].Value
}

func resume() {
	var lots [][]story.Record
	for _, codec := range story.Codecs {
		lot := story.Lot(codec, story.LotSize)
		lots = append(lots, lot)
		p := producer(func(c *sarama.Config) { c.Producer.Compression = codecs[codec] })
		story.Say("produce-"+codec, fmt.Sprintf("%d acknowledged", produce(topic, lot, p)))
	}
	account, group := story.NewAccount(lots...), prefix+"-group"
	first := join(group, topic, func(r story.Record) bool { return account.Saw(r).Seen() >= story.LotSize })
	<-first.enough
	first.commit()
	first.leave()
	part := account.Seen()
	story.Say("first-member", story.Either(part == story.LotSize, "has read and committed a part", part))
	second := join(group, topic, func(r story.Record) bool { return account.Saw(r).IsComplete() })
	<-second.enough
	second.commit()
	second.leave()
	story.Say("next-member", fmt.Sprint("has read the rest, ", account))
	total := committed(group, topic)
	story.Say("offsets", story.Either(total == int64(account.Size()), "every record committed", total))
	story.Must(admin.AlterConsumerGroupOffsets(group, map[string]map[int32]sarama.OffsetAndMetadata{topic: {0: {Offset: 0, LeaderEpoch: -1}}}, nil))
	story.Say("group-reset", fmt.Sprintf("partition 0 is at %d", story.Must(admin.ListConsumerGroupOffsets(group, nil)).Blocks[topic][0].Offset))
}

// committed is the sum of a group's offsets.
func committed(group, name string) (sum int64) {
	for _, block := range story.Must(admin.ListConsumerGroupOffsets(group, nil)).Blocks[name] {
		sum += block.Offset
	}
	return sum
}

func isGroup(group string) bool {
	_, is := story.Must(admin.ListConsumerGroups())[group]
	return is
}

func sharing() {
	name, group := prefix+"-share", prefix+"-share-group"
	create(name, 4)
	records := story.Lot("share", 2*story.LotSize)
	account := story.NewAccount(records)
	take := func(r story.Record) bool { account.Saw(r); return false }
	a := join(group, name, take)
	story.Until(a.has(4))
	alone := a.partitions.Load()
	b := join(group, name, take)
	story.Until(func() bool { return a.has(2)() && b.has(2)() })
	story.Say("share", fmt.Sprintf("%d, then %d and %d", alone, a.partitions.Load(), b.partitions.Load()))
	produce(name, records, producer())
	story.Until(account.IsComplete)
	story.Say("share-read", account)
	story.Say("group-list", story.Either(isGroup(group), "there", "not there"))
	described := story.Must(admin.DescribeConsumerGroups([]string{group}))[0]
	story.Say("group-describe", fmt.Sprintf("%s, %d members", described.State, len(described.Members)))
	story.Say("group-delete-live", nameOf(admin.DeleteConsumerGroup(group)))
	a.commit()
	b.commit()
	b.leave()
	story.Until(a.has(4))
	story.Say("share-left", fmt.Sprintf("%d again", a.partitions.Load()))
	a.leave()
	story.Check(admin.DeleteConsumerGroup(group))
	story.Say("group-delete", story.Either(isGroup(group), "still there", "gone"))
}

// read is what a reader of one partition sees before the record that says "end" for the last time.
func read(name string, ends int, changes ...func(*sarama.Config)) (seen []story.Record) {
	c := story.Must(sarama.NewConsumer([]string{bootstrap}, config(changes...)))
	defer c.Close()
	partition := story.Must(c.ConsumePartition(name, 0, sarama.OffsetOldest))
	defer partition.Close()
	for ends > 0 {
		if r := fromMessage(<-partition.Messages()); r.Value == story.End.Value {
			ends--
		} else {
			seen = append(seen, r)
		}
	}
	return seen
}

func markEnd(name string) { produce(name, []story.Record{story.End}, producer()) }

func byTime() {
	name := prefix + "-time"
	create(name, 1)
	timestamps, between := story.Times(10)
	var messages []*sarama.ProducerMessage
	for _, timestamp := range timestamps {
		messages = append(messages, &sarama.ProducerMessage{Topic: name, Value: sarama.StringEncoder("time"), Timestamp: timestamp})
	}
	story.Check(producer().SendMessages(messages))
	story.Say("by-time", fmt.Sprintf("offset %d", story.Must(client.GetOffset(name, 0, between.UnixMilli()))))
}

func logs() {
	name := prefix + "-log"
	create(name, 1)
	records := story.Lot("idempotent", story.LotSize)
	produce(name, records, producer(idempotent))
	markEnd(name)
	seen := read(name, 1, readCommitted)
	order := story.Either(fmt.Sprint(seen) == fmt.Sprint(records), "in order", "out of order")
	story.Say("in-order", fmt.Sprintf("%v, %v", story.NewAccount(records).Saw(seen...), order))
	place := func(which int64) int64 { return story.Must(client.GetOffset(name, 0, which)) }
	start, end := place(sarama.OffsetOldest), place(sarama.OffsetNewest)
	story.Say("end-offsets", story.Either(start == 0 && end == story.LotSize+1, "0 to the number of records", []int64{start, end}))
	byTime()
	story.Check(admin.DeleteRecords(name, map[int32]int64{0: 10}))
	story.Say("delete-records", fmt.Sprintf("from %d on", place(sarama.OffsetOldest)))
	story.Check(admin.CreatePartitions(name, 6, nil, false))
	story.Until(func() bool { return len(shape(name)) == 6 })
	story.Say("grow", fmt.Sprintf("%d partitions", len(shape(name))))
}

func transactions() {
	name := prefix + "-txn"
	create(name, 1)
	kept, dropped := story.Lot("kept", story.LotSize), story.Lot("dropped", story.LotSize)
	p := producer(transactional(prefix + "-id"))
	story.Check(p.BeginTxn())
	produce(name, kept, p)
	story.Check(p.CommitTxn())
	story.Check(p.BeginTxn())
	produce(name, dropped, p)
	story.Check(p.AbortTxn())
	markEnd(name)
	story.Say("txn-commit", story.NewAccount(kept).Saw(read(name, 1, readCommitted)...))
	everything := story.NewAccount(kept, dropped).Saw(read(name, 1)...).String()
	story.Say("txn-abort", story.Either(everything == "each record once", "none of it is committed", everything))
	move(name, kept, p)
	story.Must(sarama.NewSyncProducer([]string{bootstrap}, config(transactional(prefix+"-id"))))
	story.Check(p.BeginTxn())
	err := p.SendMessages(toMessages(name, dropped))
	if err == nil {
		err = p.CommitTxn()
	}
	story.Say("txn-fence", story.Either(isFenced(err), "the older producer is fenced", err))
}

func isFenced(err error) bool {
	var each sarama.ProducerErrors
	if errors.As(err, &each) {
		err = each[0].Err
	}
	return errors.Is(err, sarama.ErrInvalidProducerEpoch) || errors.Is(err, sarama.ErrProducerFenced)
}

// move consumes, transforms, produces: a transaction with its group's offsets, aborted first.
func move(source string, records []story.Record, p sarama.SyncProducer) {
	target, group := prefix+"-moved", prefix+"-move-group"
	create(target, 1)
	for ends, end := range []func() error{p.AbortTxn, p.CommitTxn} {
		var taken []story.Record
		m := join(group, source, func(r story.Record) bool {
			if r.Value != story.End.Value {
				taken = append(taken, r)
			}
			return len(taken) >= story.LotSize
		}, readCommitted)
		<-m.enough
		story.Check(p.BeginTxn())
		produce(target, taken, p)
		offsets := map[string][]*sarama.PartitionOffsetMetadata{source: {{Partition: 0, Offset: story.LotSize, LeaderEpoch: -1}}}
		story.Check(p.AddOffsetsToTxn(offsets, group))
		story.Check(end())
		m.leave()
		markEnd(target)
		account, offset := story.NewAccount(records).Saw(read(target, ends+1, readCommitted)...), committed(group, source)
		if ends == 0 {
			isNothing := account.Seen() == 0 && offset == 0
			story.Say("txn-move-abort", story.Either(isNothing, "no record, no offset", fmt.Sprintf("%v, offset %d", account, offset)))
		} else {
			story.Say("txn-move", fmt.Sprintf("%v, %v", account, story.Either(offset >= story.LotSize, "every offset", offset)))
		}
	}
}

func remove() {
	mine := func() (names []string) {
		for name := range story.Must(admin.ListTopics()) {
			if strings.HasPrefix(name, prefix) {
				names = append(names, name)
			}
		}
		return names
	}
	for _, name := range mine() {
		story.Check(admin.DeleteTopic(name))
	}
	story.Say("delete", story.Either(story.Until(func() bool { return len(mine()) == 0 }), "gone", "still there"))
}

func main() {
	topics()
	resume()
	sharing()
	logs()
	transactions()
	remove()
}
