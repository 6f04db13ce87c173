package dbtest

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ErrMissing says that this machine has no PostgreSQL server programs.
var ErrMissing = errors.New("PostgreSQL's server programs (initdb, postgres) are not installed; on Debian: apt-get install postgresql")

// A Cluster is a private PostgreSQL server in a temporary folder, reachable
// through a socket there and nowhere else.
type Cluster struct {
	Address string // of the maintenance database, where databases may be created
	leash   *os.File
	watcher *exec.Cmd
}

// Fast is for tests of rules: nothing survives a power cut, everything is quick.
func Fast() []string {
	return []string{"fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off"}
}

// Durable is for tests that kill the server and look what is left.
func Durable() []string { return []string{"fsync=on"} }

// Start makes and starts a cluster with the given settings ("name=value").
//
// The server hangs on a leash: a shell reads from a pipe whose other end only
// this process holds. However this process ends, the pipe closes, the shell
// stops the server and removes its folder.
func Start(settings []string) (*Cluster, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(place(settings), "zunft-pg-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the cluster: %w", err)
	}
	c, err := start(bin, dir, settings)
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return c, nil
}

func start(bin, dir string, settings []string) (*Cluster, error) {
	as, err := asPostgres(dir)
	if err != nil {
		return nil, err
	}
	data, log := filepath.Join(dir, "data"), filepath.Join(dir, "log")
	init := command(as, filepath.Join(bin, "initdb"), "--pgdata", data, "--username", "postgres",
		"--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions")
	init.Dir = dir
	if out, err := init.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(out))
	}
	settings = append([]string{
		"listen_addresses=", "unix_socket_directories=" + dir, "max_connections=400",
		"shared_buffers=64MB", "wal_level=minimal", "max_wal_senders=0",
	}, settings...)
	var options []string
	for _, s := range settings {
		options = append(options, "-c", s)
	}
	const leash = `log=$1; dir=$2; shift 2
"$@" >"$log" 2>&1 </dev/null &
server=$!
read -r _
kill -QUIT "$server" 2>/dev/null
wait "$server"
rm -rf "$dir"`
	argv := append([]string{"sh", "-c", leash, "sh", log, dir, filepath.Join(bin, "postgres"), "-D", data}, options...)
	c := &Cluster{watcher: command(as, argv...)}
	c.watcher.Dir = dir
	c.watcher.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C reaches us, the pipe reaches the server
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe: %w", err)
	}
	defer read.Close()
	c.leash, c.watcher.Stdin = write, read
	if err := c.watcher.Start(); err != nil {
		write.Close()
		return nil, fmt.Errorf("start the server: %w", err)
	}
	c.Address = (&url.URL{
		Scheme: "postgres", User: url.User("postgres"), Path: "/postgres",
		RawQuery: url.Values{"host": {dir}}.Encode(),
	}).String()
	if err := ready(bin, dir); err != nil {
		said, _ := os.ReadFile(log)
		c.Stop()
		return nil, fmt.Errorf("%w: %s", err, bytes.TrimSpace(said))
	}
	return c, nil
}

// Stop ends the server and waits until its folder is gone.
func (c *Cluster) Stop() {
	c.leash.Close()
	c.watcher.Wait()
}

// ready waits until the server answers: at most 30 seconds on a busy machine.
func ready(bin, dir string) error {
	deadline := time.Now().Add(30 * time.Second)
	for {
		err := exec.Command(filepath.Join(bin, "pg_isready"), "--quiet", "--host", dir).Run()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("wait for the server: %w", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// place is where a cluster's folder goes: memory for a fast one if there is
// plenty of it (copying a template makes 300 files: 80 ms there, 400 ms on a
// virtual disk), else the temporary folder.
func place(settings []string) string {
	const memory, plenty = "/dev/shm", 4 << 30
	var fs syscall.Statfs_t
	if !slices.Contains(settings, "fsync=off") || syscall.Statfs(memory, &fs) != nil || fs.Bavail*uint64(fs.Bsize) < plenty {
		return ""
	}
	return memory
}

// programs finds the folder of the newest server on this machine.
func programs() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	slices.SortFunc(found, func(a, b string) int { return version(a) - version(b) })
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1]), nil
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", ErrMissing
}

func version(initdb string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(initdb))))
	return n
}

// asPostgres hands dir to the user postgres when we are root, whom PostgreSQL
// refuses, and returns the words to put before a command.
func asPostgres(dir string) ([]string, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	postgres, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("%w (%v)", ErrMissing, err)
	}
	uid, _ := strconv.Atoi(postgres.Uid)
	gid, _ := strconv.Atoi(postgres.Gid)
	if err := os.Chown(dir, uid, gid); err != nil {
		return nil, fmt.Errorf("hand the folder to postgres: %w", err)
	}
	return []string{"runuser", "-u", "postgres", "--"}, nil
}

// command builds a command without the PG… settings a person may have.
func command(before []string, argv ...string) *exec.Cmd {
	argv = append(slices.Clone(before), argv...)
	c := exec.Command(argv[0], argv[1:]...)
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "PG") {
			c.Env = append(c.Env, e)
		}
	}
	return c
}
