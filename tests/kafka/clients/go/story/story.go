// Package story is what the stories of all Go clients share: the records that they tell of, the account of those that were read, and how a step is told.
package story

import (
	"fmt"
	"os"
	"sync"
	"time"
)

const (
	LotSize = 100              // records of one lot
	wait    = 60 * time.Second // for anything that has to become true
)

// Codecs in the order of the story.
var Codecs = []string{"none", "gzip", "snappy", "lz4", "zstd"}

// Record is what is written: key and number (a header) follow from the value.
type Record struct{ Value, Key, Number string }

// Lot makes the first count records of a lot.
func Lot(name string, count int) []Record {
	records := make([]Record, count)
	for i := range records {
		records[i] = Record{fmt.Sprintf("%s/%d", name, i), fmt.Sprintf("key-%d", i%10), fmt.Sprint(i)}
	}
	return records
}

// Times gives timestamps of records, a second apart, and a time between the fifth and the sixth of them.
func Times(count int) (timestamps []time.Time, between time.Time) {
	first := time.Now().Truncate(time.Millisecond).Add(-time.Minute)
	for i := range count {
		timestamps = append(timestamps, first.Add(time.Duration(i)*time.Second))
	}
	return timestamps, first.Add(4500 * time.Millisecond)
}

// End marks the end of a log for its readers.
var End = Record{Value: "end", Key: "end"}

// Account knows which records of some lots have been read, and whether they are what was written. Any goroutine may tell it.
type Account struct {
	mutex    sync.Mutex
	expected map[string]Record
	count    map[string]int
	wrong    int
}

// NewAccount of the records of all lots.
func NewAccount(lots ...[]Record) *Account {
	a := &Account{expected: map[string]Record{}, count: map[string]int{}}
	for _, lot := range lots {
		for _, r := range lot {
			a.expected[r.Value] = r
		}
	}
	return a
}

// Saw takes records that were read.
func (a *Account) Saw(records ...Record) *Account {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	for _, r := range records {
		if a.expected[r.Value] == r {
			a.count[r.Value]++
		} else {
			a.wrong++
		}
	}
	return a
}

// Size is the number of records that were written.
func (a *Account) Size() int { return len(a.expected) }

// Seen is how many of them have been read, each time counted.
func (a *Account) Seen() (sum int) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	for _, n := range a.count {
		sum += n
	}
	return sum
}

// IsComplete says whether each of them has been read.
func (a *Account) IsComplete() bool {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return len(a.count) == len(a.expected)
}

func (a *Account) String() string {
	seen := a.Seen()
	a.mutex.Lock()
	defer a.mutex.Unlock()
	lost, doubled := len(a.expected)-len(a.count), seen-len(a.count)
	if lost == 0 && doubled == 0 && a.wrong == 0 {
		return "each record once"
	}
	return fmt.Sprintf("%d lost, %d doubled, %d wrong", lost, doubled, a.wrong)
}

// Say tells a step.
func Say(step string, outcome any) { fmt.Printf("%s: %v\n", step, outcome) }

// Either is what a step says that has one good end.
func Either(isGood bool, good string, otherwise any) any {
	if isGood {
		return good
	}
	return otherwise
}

// Until waits until something is true, or a minute; it returns what isTrue said last.
func Until(isTrue func() bool) bool {
	for end := time.Now().Add(wait); ; time.Sleep(20 * time.Millisecond) {
		if isTrue() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}

// Check ends the story at an error.
func Check(err error) {
	if err != nil {
		panic(err)
	}
}

// Must is Check for calls that return something, too.
func Must[T any](result T, err error) T {
	Check(err)
	return result
}

// Arguments of the program: where the broker is, and what all names begin with.
func Arguments() (bootstrap, prefix string) {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: story BOOTSTRAP PREFIX")
		os.Exit(2)
	}
	return os.Args[1], os.Args[2]
}
