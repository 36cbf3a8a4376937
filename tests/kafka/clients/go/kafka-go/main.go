// The story as segmentio's kafka-go tells it. Arguments: BOOTSTRAP PREFIX.
package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
	"story"
)

var (
	bootstrap, prefix = story.Arguments()
	ctx               = context.Background()
	client            = &kafka.Client{Addr: kafka.TCP(bootstrap), Transport: transport}
	transport         = &kafka.Transport{MetadataTTL: 100 * time.Millisecond}
	topic             = prefix + "-topic"
	codecs            = map[string]kafka.Compression{"none": 0, "gzip": kafka.Gzip, "snappy": kafka.Snappy, "lz4": kafka.Lz4, "zstd": kafka.Zstd}
)

func fromMessage(m kafka.Message) story.Record {
	result := story.Record{Value: string(m.Value), Key: string(m.Key)}
	for _, h := range m.Headers {
		result.Number = string(h.Value)
	}
	return result
}

// produce returns how many were acknowledged.
func produce(to string, records []story.Record, codec kafka.Compression) int {
	w := &kafka.Writer{
		Addr: kafka.TCP(bootstrap), Transport: transport, Topic: to, RequiredAcks: kafka.RequireAll, Compression: codec,
		BatchTimeout: 10 * time.Millisecond, Balancer: &kafka.RoundRobin{},
	}
	defer w.Close()
	messages := make([]kafka.Message, len(records))
	for i, r := range records {
		messages[i] = kafka.Message{Value: []byte(r.Value), Key: []byte(r.Key), Headers: []kafka.Header{{Key: "number", Value: []byte(r.Number)}}}
	}
	var failed kafka.WriteErrors
	if err := w.WriteMessages(ctx, messages...); err != nil && !errors.As(err, &failed) {
		panic(err)
	}
	return len(records) - failed.Count()
}

func reader(settings kafka.ReaderConfig) *kafka.Reader {
	settings.Brokers = []string{bootstrap}
	settings.MaxWait = 100 * time.Millisecond
	settings.HeartbeatInterval = 200 * time.Millisecond
	settings.StartOffset = kafka.FirstOffset
	return kafka.NewReader(settings)
}

func createTopic(name string, partitions int) error {
	topics := []kafka.TopicConfig{{Topic: name, NumPartitions: partitions, ReplicationFactor: 1}}
	return story.Must(client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: topics})).Errors[name]
}

// create makes a topic, which is there when the broker's metadata tell of it; that may be later than the answer.
func create(name string, partitions int) {
	story.Check(createTopic(name, partitions))
	story.Until(func() bool { return len(shape(name)) == partitions })
}

func metadata(names ...string) *kafka.MetadataResponse {
	return story.Must(client.Metadata(ctx, &kafka.MetadataRequest{Topics: names}))
}

func shape(name string) []kafka.Partition { return metadata(name).Topics[0].Partitions }

// The client has texts for errors, not names.
func nameOf(err error) string {
	switch {
	case errors.Is(err, kafka.TopicAlreadyExists):
		return "TOPIC_ALREADY_EXISTS"
	case errors.Is(err, kafka.NonEmptyGroup):
		return "NON_EMPTY_GROUP"
	}
	return fmt.Sprint(err)
}

func names() (result []string) {
	for _, t := range metadata().Topics {
		result = append(result, t.Name)
	}
	return result
}

func topics() {
	create(topic, 4)
	partitions := shape(topic)
	story.Say("create", fmt.Sprintf("%d partitions", len(partitions)))
	story.Say("create-again", nameOf(createTopic(topic, 4)))
	story.Say("list", story.Either(strings.Contains(fmt.Sprint(names()), topic), "there", "not there"))
	broker := metadata().Brokers[0].ID
	isLed := true
	for _, p := range partitions {
		isLed = isLed && p.Leader.ID == broker && len(p.Replicas) == 1 && p.Replicas[0].ID == broker && len(p.Isr) == 1 && p.Isr[0].ID == broker
	}
	story.Say("describe", story.Either(isLed, fmt.Sprintf("%d partitions, each led by the one broker", len(partitions)), partitions))
	configs := []kafka.IncrementalAlterConfigsRequestConfig{{Name: "retention.ms", Value: "123456", ConfigOperation: kafka.ConfigOperationSet}}
	resources := []kafka.IncrementalAlterConfigsRequestResource{{ResourceType: kafka.ResourceTypeTopic, ResourceName: topic, Configs: configs}}
	story.Must(client.IncrementalAlterConfigs(ctx, &kafka.IncrementalAlterConfigsRequest{Resources: resources}))
	story.Until(func() bool { return retention() == "123456" })
	story.Say("config", "retention.ms="+retention())
}

func retention() string {
	resources := []kafka.DescribeConfigRequestResource{{ResourceType: kafka.ResourceTypeTopic, ResourceName: topic, ConfigNames: []string{"retention.ms"}}}
	return story.Must(client.DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{Resources: resources})).Resources[0].ConfigEntries[0].ConfigValue
}

func resume() {
	var lots [][]story.Record
	for _, codec := range story.Codecs {
		lots = append(lots, story.Lot(codec, story.LotSize))
		story.Say("produce-"+codec, fmt.Sprintf("%d acknowledged", produce(topic, lots[len(lots)-1], codecs[codec])))
	}
	account, group := story.NewAccount(lots...), prefix+"-group"
	readUntil := func(isEnough func() bool) {
		r := reader(kafka.ReaderConfig{GroupID: group, Topic: topic})
		for !isEnough() {
			m := story.Must(r.FetchMessage(ctx))
			account.Saw(fromMessage(m))
			story.Check(r.CommitMessages(ctx, m))
		}
		story.Check(r.Close())
	}
	readUntil(func() bool { return account.Seen() == story.LotSize })
	story.Say("first-member", "has read and committed a part")
	readUntil(account.IsComplete)
	story.Say("next-member", fmt.Sprint("has read the rest, ", account))
	total := committed(group, topic, 4)
	story.Say("offsets", story.Either(total == int64(account.Size()), "every record committed", total))
	start := map[string][]kafka.OffsetCommit{topic: {{Partition: 0, Offset: 0}}}
	story.Check(story.Must(client.OffsetCommit(ctx, &kafka.OffsetCommitRequest{GroupID: group, GenerationID: -1, Topics: start})).Topics[topic][0].Error)
	story.Say("group-reset", fmt.Sprintf("partition 0 is at %d", committed(group, topic, 1)))
}

// committed is the sum of a group's offsets.
func committed(group, name string, partitions int) (sum int64) {
	request := &kafka.OffsetFetchRequest{GroupID: group, Topics: map[string][]int{name: {}}}
	for i := range partitions {
		request.Topics[name] = append(request.Topics[name], i)
	}
	for _, p := range story.Must(client.OffsetFetch(ctx, request)).Topics[name] {
		sum += p.CommittedOffset
	}
	return sum
}

// member of a group that reads all partitions which it gets. kafka-go's Reader does not tell its partitions, its ConsumerGroup does.
type member struct {
	group      *kafka.ConsumerGroup
	partitions atomic.Int32
	stopped    chan struct{}
}

func join(group, name string, take func(story.Record)) *member {
	m := &member{stopped: make(chan struct{})}
	m.group = story.Must(kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: group, Brokers: []string{bootstrap}, Topics: []string{name}, HeartbeatInterval: 200 * time.Millisecond, StartOffset: kafka.FirstOffset,
	}))
	go func() {
		defer close(m.stopped)
		for {
			generation, err := m.group.Next(ctx)
			if errors.Is(err, kafka.ErrGroupClosed) {
				return
			}
			if err == nil {
				m.begin(generation, name, take)
			}
		}
	}()
	return m
}

func (m *member) begin(generation *kafka.Generation, name string, take func(story.Record)) {
	m.partitions.Store(int32(len(generation.Assignments[name])))
	for _, p := range generation.Assignments[name] {
		generation.Start(func(ctx context.Context) {
			r := reader(kafka.ReaderConfig{Topic: name, Partition: p.ID})
			defer r.Close()
			story.Check(r.SetOffset(p.Offset))
			for {
				message, err := r.ReadMessage(ctx)
				if err != nil {
					return
				}
				take(fromMessage(message))
				// A generation that is over commits no more; what it read is told of all the same.
				_ = generation.CommitOffsets(map[string]map[int]int64{name: {p.ID: message.Offset + 1}})
			}
		})
	}
}

func (m *member) has(count int32) func() bool {
	return func() bool { return m.partitions.Load() == count }
}

func (m *member) leave() {
	story.Check(m.group.Close())
	<-m.stopped
}

func isGroup(group string) bool {
	for _, g := range story.Must(client.ListGroups(ctx, &kafka.ListGroupsRequest{})).Groups {
		if g.GroupID == group {
			return true
		}
	}
	return false
}

func deleteGroup(group string) error {
	return story.Must(client.DeleteGroups(ctx, &kafka.DeleteGroupsRequest{GroupIDs: []string{group}})).Errors[group]
}

func sharing() {
	name, group := prefix+"-share", prefix+"-share-group"
	create(name, 4)
	records := story.Lot("share", 2*story.LotSize)
	account := story.NewAccount(records)
	take := func(r story.Record) { account.Saw(r) }
	a := join(group, name, take)
	story.Until(a.has(4))
	alone := a.partitions.Load()
	b := join(group, name, take)
	story.Until(func() bool { return a.has(2)() && b.has(2)() })
	story.Say("share", fmt.Sprintf("%d, then %d and %d", alone, a.partitions.Load(), b.partitions.Load()))
	produce(name, records, 0)
	story.Until(account.IsComplete)
	story.Say("share-read", account)
	story.Say("group-list", story.Either(isGroup(group), "there", "not there"))
	described := story.Must(client.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{group}})).Groups[0]
	story.Say("group-describe", fmt.Sprintf("%s, %d members", described.GroupState, len(described.Members)))
	story.Say("group-delete-live", nameOf(deleteGroup(group)))
	b.leave()
	story.Until(a.has(4))
	story.Say("share-left", fmt.Sprintf("%d again", a.partitions.Load()))
	a.leave()
	story.Check(deleteGroup(group))
	story.Say("group-delete", story.Either(isGroup(group), "still there", "gone"))
}

func byTime() {
	name := prefix + "-time"
	create(name, 1)
	timestamps, between := story.Times(10)
	w := &kafka.Writer{Addr: kafka.TCP(bootstrap), Transport: transport, Topic: name, RequiredAcks: kafka.RequireAll, BatchTimeout: 10 * time.Millisecond}
	defer w.Close()
	for _, timestamp := range timestamps {
		story.Check(w.WriteMessages(ctx, kafka.Message{Value: []byte("time"), Time: timestamp}))
	}
	request := &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{name: {kafka.TimeOffsetOf(0, between)}}}
	for offset := range story.Must(client.ListOffsets(ctx, request)).Topics[name][0].Offsets {
		story.Say("by-time", fmt.Sprintf("offset %d", offset))
	}
}

func logs() {
	name := prefix + "-log"
	create(name, 1)
	records := story.Lot("log", story.LotSize)
	produce(name, records, 0)
	r := reader(kafka.ReaderConfig{Topic: name})
	var seen []story.Record
	for len(seen) < story.LotSize {
		seen = append(seen, fromMessage(story.Must(r.ReadMessage(ctx))))
	}
	story.Check(r.Close())
	order := story.Either(fmt.Sprint(seen) == fmt.Sprint(records), "in order", "out of order")
	story.Say("in-order", fmt.Sprintf("%v, %v", story.NewAccount(records).Saw(seen...), order))
	request := &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{name: {kafka.FirstOffsetOf(0), kafka.LastOffsetOf(0)}}}
	ends := story.Must(client.ListOffsets(ctx, request)).Topics[name][0]
	isWhole := ends.FirstOffset == 0 && ends.LastOffset == story.LotSize
	story.Say("end-offsets", story.Either(isWhole, "0 to the number of records", ends))
	byTime()
	story.Check(story.Must(client.CreatePartitions(ctx, &kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{{Name: name, Count: 6}}})).Errors[name])
	story.Until(func() bool { return len(shape(name)) == 6 })
	story.Say("grow", fmt.Sprintf("%d partitions", len(shape(name))))
}

func remove() {
	mine := func() (result []string) {
		for _, name := range names() {
			if strings.HasPrefix(name, prefix) {
				result = append(result, name)
			}
		}
		return result
	}
	for _, err := range story.Must(client.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: mine()})).Errors {
		story.Check(err)
	}
	story.Say("delete", story.Either(story.Until(func() bool { return len(mine()) == 0 }), "gone", "still there"))
}

func main() {
	topics()
	resume()
	sharing()
	logs()
	remove()
}
