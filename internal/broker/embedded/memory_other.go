//go:build !linux

package embedded

import "errors"

func memoryFor(string) (string, error) { return "", errors.ErrUnsupported }
