package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/semver"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	answers := bufio.NewWriter(os.Stdout)
	defer answers.Flush()
	for lines.Scan() {
		first, second, _ := strings.Cut(lines.Text(), "\t")
		first, second = "v"+strings.TrimPrefix(first, "v"), "v"+strings.TrimPrefix(second, "v")
		if semver.IsValid(first) && semver.IsValid(second) {
			fmt.Fprintln(answers, semver.Compare(first, second))
		} else {
			fmt.Fprintln(answers, "!")
		}
	}
}
