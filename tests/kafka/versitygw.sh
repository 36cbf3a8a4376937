# shellcheck shell=bash
# Sourced by what wants a strict S3 server (Go): versitygw, which is built from its released source. Its keys are local and local-secret, its region us-east-1.

# versitygw_get FOLDER LOG: the program into a folder below FOLDER (an absolute path); quick where it is there, minutes where it is not. Sets versitygw.
versitygw_get() {
    versitygw=$1/versitygw-1.8.0
    [ -x "$versitygw/versitygw" ] || GOTOOLCHAIN=local GOBIN=$versitygw go install github.com/versity/versitygw/cmd/versitygw@v1.8.0 >"$2" 2>&1
}

# versitygw_start PORT BUCKETS LOG: in the background, on loopback; BUCKETS holds a folder for each bucket; LOG gets a line for each request.
versitygw_start() {
    "$versitygw/versitygw" --access local --secret local-secret --port "127.0.0.1:$1" --region us-east-1 --access-log "$3" --quiet posix "$2" >>"$3.out" 2>&1 &
}
