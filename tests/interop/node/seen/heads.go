package seen

import (
	"sync"
	"time"
)

// Step is one change of a head.
type Step struct {
	Kind, Key, Parents string
}

// Follower applies the changes of a head stream to a chain of its own.
type Follower struct {
	mutex sync.Mutex
	// From where the stream began.
	chain []Step
	count map[string]int
}

// Take applies a change, which has to fit.
func (f *Follower) Take(s Step) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	top := len(f.chain) - 1
	switch s.Kind {
	case "current":
		Check(top < 0, "a second beginning: %v", s)
		f.chain, f.count = []Step{s}, map[string]int{}
	case "apply":
		Check(top >= 0 && f.chain[top].Key == s.Parents, "%s is no child of %v", s.Key, f.chain)
		f.chain = append(f.chain, s)
		f.count[s.Key]++
		Check(f.count[s.Key] == 1, "%s was applied twice", s.Key)
	case "revert":
		Check(top >= 0 && f.chain[top].Key == s.Key, "%s is not the head to revert", s.Key)
		f.count[s.Key]--
		f.chain = f.chain[:top]
	default:
		Check(false, "a change of the kind %q", s.Kind)
	}
}

func (f *Follower) head() string {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if len(f.chain) == 0 {
		return ""
	}
	return f.chain[len(f.chain)-1].Key
}

// Reaches waits until the stream has told of a head.
func (f *Follower) Reaches(key string) {
	for end := time.Now().Add(Patience); f.head() != key; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			Check(false, "the stream is at %s, the node at %s", f.head(), key)
		}
	}
	checks.Add(1)
}
