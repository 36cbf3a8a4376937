// The story as franz-go tells it. Arguments: BOOTSTRAP PREFIX.
package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"story"
)

var (
	bootstrap, prefix = story.Arguments()
	ctx               = context.Background()
	admin             = kadm.NewClient(client())
	topic             = prefix + "-topic"
	codecs            = map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
)

func client(options ...kgo.Opt) *kgo.Client {
	return story.Must(kgo.NewClient(append(options, kgo.SeedBrokers(bootstrap))...))
}

func toRecords(to string, records []story.Record) []*kgo.Record {
	result := make([]*kgo.Record, len(records))
	for i, r := range records {
		headers := []kgo.RecordHeader{{Key: "number", Value: []byte(r.Number)}}
		result[i] = &kgo.Record{Topic: to, Value: []byte(r.Value), Key: []byte(r.Key), Headers: headers}
	}
	return result
}

func fromRecord(r *kgo.Record) story.Record {
	result := story.Record{Value: string(r.Value), Key: string(r.Key)}
	for _, h := range r.Headers {
		result.Number = string(h.Value)
	}
	return result
}

// produce returns how many were acknowledged.
func produce(to string, records []story.Record, by *kgo.Client) (acknowledged int) {
	for _, result := range by.ProduceSync(ctx, toRecords(to, records)...) {
		if result.Err == nil {
			acknowledged++
		}
	}
	return acknowledged
}

// member of a group: a client whose polls go on in a goroutine.
type member struct {
	*kgo.Client
	partitions atomic.Int32
	stop       context.CancelFunc
	stopped    chan struct{}
}

// join makes a member, which gives what it reads to take until that says that it is enough.
func join(group, name string, take func(story.Record) (isEnough bool), options ...kgo.Opt) *member {
	m := &member{stopped: make(chan struct{})}
	count := func(sign int) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
			m.partitions.Add(int32(sign * len(partitions[name])))
		}
	}
	m.Client = client(append([]kgo.Opt{
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(name), kgo.DisableAutoCommit(), kgo.HeartbeatInterval(200 * time.Millisecond),
		kgo.Balancers(kgo.RangeBalancer()), kgo.FetchMaxWait(100 * time.Millisecond),
		kgo.OnPartitionsAssigned(count(1)), kgo.OnPartitionsRevoked(count(-1)), kgo.OnPartitionsLost(count(-1)),
	}, options...)...)
	polling, stop := context.WithCancel(ctx)
	m.stop = stop
	go func() {
		defer close(m.stopped)
		for polling.Err() == nil {
			isEnough := false
			m.PollRecords(polling, 50).EachRecord(func(r *kgo.Record) { isEnough = take(fromRecord(r)) || isEnough })
			if isEnough {
				return
			}
		}
	}()
	return m
}

// has waits until the member has that many partitions.
func (m *member) has(count int32) func() bool {
	return func() bool { return m.partitions.Load() == count }
}

// quiet waits until the member reads no more.
func (m *member) quiet() *member { m.stop(); <-m.stopped; return m }

func (m *member) commit() { story.Check(m.CommitUncommittedOffsets(ctx)) }

func (m *member) leave() { m.quiet().Close() }

// create makes a topic, which is there when the broker's metadata tell of it; that may be later than the answer.
func create(name string, partitions int32) {
	story.Must(admin.CreateTopic(ctx, partitions, 1, nil, name))
	story.Until(func() bool { return len(shape(name)) == int(partitions) })
}

func shape(name string) kadm.PartitionDetails {
	return story.Must(admin.ListTopics(ctx, name))[name].Partitions
}

func nameOf(err error) string {
	var answer *kerr.Error
	if errors.As(err, &answer) {
		return answer.Message
	}
	return fmt.Sprint(err)
}

func topics() {
	create(topic, 4)
	partitions := shape(topic)
	story.Say("create", fmt.Sprintf("%d partitions", len(partitions)))
	_, err := admin.CreateTopic(ctx, 4, 1, nil, topic)
	story.Say("create-again", nameOf(err))
	story.Say("list", story.Either(story.Must(admin.ListTopics(ctx)).Has(topic), "there", "not there"))
	broker := story.Must(admin.ListBrokers(ctx))[0].NodeID
	isLed := true
	for _, p := range partitions {
		isLed = isLed && p.Leader == broker && fmt.Sprint(p.Replicas, p.ISR) == fmt.Sprintf("[%d] [%d]", broker, broker)
	}
	story.Say("describe", story.Either(isLed, fmt.Sprintf("%d partitions, each led by the one broker", len(partitions)), partitions))
	value := "123456"
	for _, response := range story.Must(admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Name: "retention.ms", Value: &value}}, topic)) {
		story.Check(response.Err)
	}
	story.Until(func() bool { return retention() == value })
	story.Say("config", "retention.ms="+retention())
}

func retention() string {
	for _, config := range story.Must(story.Must(admin.DescribeTopicConfigs(ctx, topic)).On(topic, nil)).Configs {
		if config.Key == "retention.ms" {
			return config.MaybeValue()
		}
	}
	return "unknown"
}

func resume() {
	var lots [][]story.Record
	for _, codec := range story.Codecs {
		lot := story.Lot(codec, story.LotSize)
		lots = append(lots, lot)
		p := client(kgo.ProducerBatchCompression(codecs[codec]))
		story.Say("produce-"+codec, fmt.Sprintf("%d acknowledged", produce(topic, lot, p)))
		p.Close()
	}
	account, group := story.NewAccount(lots...), prefix+"-group"
	first := join(group, topic, func(r story.Record) bool { return account.Saw(r).Seen() >= story.LotSize })
	<-first.stopped
	first.commit()
	first.leave()
	part := account.Seen()
	story.Say("first-member", story.Either(part < account.Size(), "has read and committed a part", part))
	second := join(group, topic, func(r story.Record) bool { account.Saw(r); return false })
	story.Until(account.IsComplete)
	second.quiet().commit()
	second.leave()
	story.Say("next-member", fmt.Sprint("has read the rest, ", account))
	total := committed(group)
	story.Say("offsets", story.Either(total == int64(account.Size()), "every record committed", total))
	start := kadm.Offsets{}
	start.AddOffset(topic, 0, 0, -1)
	story.Check(admin.CommitAllOffsets(ctx, group, start))
	place, _ := story.Must(admin.FetchOffsets(ctx, group)).Lookup(topic, 0)
	story.Say("group-reset", fmt.Sprintf("partition 0 is at %d", place.At))
}

// committed is the sum of a group's offsets.
func committed(group string) (sum int64) {
	story.Must(admin.FetchOffsets(ctx, group)).Each(func(o kadm.OffsetResponse) { sum += o.At })
	return sum
}

func isGroup(group string) bool {
	_, is := story.Must(admin.ListGroups(ctx))[group]
	return is
}

func stateOf(group string, isConsumer bool) string {
	if isConsumer {
		d := story.Must(admin.DescribeConsumerGroups(ctx, group))[group]
		return fmt.Sprintf("%s, %d members", d.State, len(d.Members))
	}
	d := story.Must(admin.DescribeGroups(ctx, group))[group]
	return fmt.Sprintf("%s, %d members", d.State, len(d.Members))
}

// sharing tells the steps of two members at once. The protocol of KIP-848 comes from the client's context.
func sharing(step string, options ...kgo.Opt) {
	name, group, isConsumer := prefix+"-"+step, prefix+"-"+step+"-group", len(options) > 0
	create(name, 4)
	records := story.Lot(step, 2*story.LotSize)
	account := story.NewAccount(records)
	take := func(r story.Record) bool { account.Saw(r); return false }
	a := join(group, name, take, options...)
	story.Until(a.has(4))
	alone := a.partitions.Load()
	b := join(group, name, take, options...)
	story.Until(func() bool { return a.has(2)() && b.has(2)() })
	story.Say(step, fmt.Sprintf("%d, then %d and %d", alone, a.partitions.Load(), b.partitions.Load()))
	produce(name, records, client())
	story.Until(account.IsComplete)
	story.Say(step+"-read", account)
	if !isConsumer {
		story.Say("group-list", story.Either(isGroup(group), "there", "not there"))
	}
	story.Say(story.Either(isConsumer, step+"-describe", "group-describe").(string), stateOf(group, isConsumer))
	if !isConsumer {
		_, err := admin.DeleteGroup(ctx, group)
		story.Say("group-delete-live", nameOf(err))
	}
	a.commit()
	b.commit()
	b.leave()
	story.Until(a.has(4))
	story.Say(step+"-left", fmt.Sprintf("%d again", a.partitions.Load()))
	a.leave()
	if !isConsumer {
		story.Must(admin.DeleteGroup(ctx, group))
		story.Say("group-delete", story.Either(isGroup(group), "still there", "gone"))
	}
}

// read is what a reader of one partition sees before the record that says "end" for the last time.
func read(name string, isolation kgo.IsolationLevel, ends int) (seen []story.Record) {
	c := client(kgo.ConsumeTopics(name), kgo.FetchIsolationLevel(isolation), kgo.FetchMaxWait(100*time.Millisecond))
	defer c.Close()
	for ends > 0 {
		c.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			if string(r.Value) == story.End.Value {
				ends--
			} else {
				seen = append(seen, fromRecord(r))
			}
		})
	}
	return seen
}

func markEnd(name string) { produce(name, []story.Record{story.End}, client()) }

func byTime() {
	name := prefix + "-time"
	create(name, 1)
	timestamps, between := story.Times(10)
	p := client()
	for _, timestamp := range timestamps {
		story.Check(p.ProduceSync(ctx, &kgo.Record{Topic: name, Value: []byte("time"), Timestamp: timestamp}).FirstErr())
	}
	place, _ := story.Must(admin.ListOffsetsAfterMilli(ctx, between.UnixMilli(), name)).Lookup(name, 0)
	story.Say("by-time", fmt.Sprintf("offset %d", place.Offset))
}

func logs() {
	name := prefix + "-log"
	create(name, 1)
	records := story.Lot("idempotent", story.LotSize)
	produce(name, records, client()) // idempotent by default
	markEnd(name)
	seen := read(name, kgo.ReadCommitted(), 1)
	order := story.Either(fmt.Sprint(seen) == fmt.Sprint(records), "in order", "out of order")
	story.Say("in-order", fmt.Sprintf("%v, %v", story.NewAccount(records).Saw(seen...), order))
	start, _ := story.Must(admin.ListStartOffsets(ctx, name)).Lookup(name, 0)
	end, _ := story.Must(admin.ListEndOffsets(ctx, name)).Lookup(name, 0)
	isWhole := start.Offset == 0 && end.Offset == story.LotSize+1
	story.Say("end-offsets", story.Either(isWhole, "0 to the number of records", []int64{start.Offset, end.Offset}))
	byTime()
	offsets := kadm.Offsets{}
	offsets.AddOffset(name, 0, 10, -1)
	story.Must(admin.DeleteRecords(ctx, offsets))
	start, _ = story.Must(admin.ListStartOffsets(ctx, name)).Lookup(name, 0)
	story.Say("delete-records", fmt.Sprintf("from %d on", start.Offset))
	story.Must(admin.UpdatePartitions(ctx, 6, name))
	story.Until(func() bool { return len(shape(name)) == 6 })
	story.Say("grow", fmt.Sprintf("%d partitions", len(shape(name))))
}

func transactions() {
	name := prefix + "-txn"
	create(name, 1)
	kept, dropped := story.Lot("kept", story.LotSize), story.Lot("dropped", story.LotSize)
	p := client(kgo.TransactionalID(prefix + "-id"))
	for _, t := range []struct {
		records []story.Record
		end     kgo.TransactionEndTry
	}{{kept, kgo.TryCommit}, {dropped, kgo.TryAbort}} {
		story.Check(p.BeginTransaction())
		produce(name, t.records, p)
		story.Check(p.EndTransaction(ctx, t.end))
	}
	markEnd(name)
	story.Say("txn-commit", story.NewAccount(kept).Saw(read(name, kgo.ReadCommitted(), 1)...))
	everything := story.NewAccount(kept, dropped).Saw(read(name, kgo.ReadUncommitted(), 1)...).String()
	story.Say("txn-abort", story.Either(everything == "each record once", "none of it is committed", everything))
	move(name, kept)
	story.Say("txn-fence", fence(p, name, dropped))
}

// fence has a younger producer take the id, and tells what becomes of the older one.
func fence(older *kgo.Client, name string, records []story.Record) any {
	younger := client(kgo.TransactionalID(prefix + "-id"))
	story.Check(younger.BeginTransaction())
	produce(name, []story.Record{story.End}, younger)
	story.Check(younger.EndTransaction(ctx, kgo.TryCommit))
	story.Check(older.BeginTransaction())
	err := older.ProduceSync(ctx, toRecords(name, records)...).FirstErr()
	if err == nil {
		err = older.EndTransaction(ctx, kgo.TryCommit)
	}
	isFenced := errors.Is(err, kerr.ProducerFenced) || errors.Is(err, kerr.InvalidProducerEpoch)
	return story.Either(isFenced, "the older producer is fenced", err)
}

// move consumes, transforms, produces: a transaction with its group's offsets, aborted first.
func move(source string, records []story.Record) {
	target, group := prefix+"-moved", prefix+"-move-group"
	create(target, 1)
	for ends, end := range []kgo.TransactionEndTry{kgo.TryAbort, kgo.TryCommit} {
		session := story.Must(kgo.NewGroupTransactSession(kgo.SeedBrokers(bootstrap), kgo.TransactionalID(prefix+"-move-id"), kgo.ConsumerGroup(group),
			kgo.ConsumeTopics(source), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.RequireStableFetchOffsets()))
		var taken []story.Record
		for len(taken) < story.LotSize {
			session.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
				if string(r.Value) != story.End.Value {
					taken = append(taken, fromRecord(r))
				}
			})
		}
		story.Check(session.Begin())
		story.Check(session.ProduceSync(ctx, toRecords(target, taken)...).FirstErr())
		story.Must(session.End(ctx, end))
		session.Close()
		markEnd(target)
		account, offset := story.NewAccount(records).Saw(read(target, kgo.ReadCommitted(), ends+1)...), committed(group)
		if end == kgo.TryAbort {
			isNothing := account.Seen() == 0 && offset == 0
			story.Say("txn-move-abort", story.Either(isNothing, "no record, no offset", fmt.Sprintf("%v, offset %d", account, offset)))
		} else {
			story.Say("txn-move", fmt.Sprintf("%v, %v", account, story.Either(offset >= story.LotSize, "every offset", offset)))
		}
	}
}

func remove() {
	mine := func() (names []string) {
		for _, name := range story.Must(admin.ListTopics(ctx)).Names() {
			if strings.HasPrefix(name, prefix) {
				names = append(names, name)
			}
		}
		return names
	}
	story.Must(admin.DeleteTopics(ctx, mine()...))
	story.Say("delete", story.Either(story.Until(func() bool { return len(mine()) == 0 }), "gone", "still there"))
}

func main() {
	topics()
	resume()
	sharing("share")
	sharing("consumer-share", kgo.WithContext(context.WithValue(ctx, "opt_in_kafka_next_gen_balancer_beta", true)))
	logs()
	transactions()
	remove()
}
