package dbtest

import (
	"syscall"
	"time"
)

// CPU is the processor time this process has used. A test that bounds what
// something costs asks for it instead of the clock, which also counts what else
// the machine does.
func CPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // it cannot be: the arguments are right
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
