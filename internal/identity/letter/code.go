package letter

import (
	"strings"

	"zunft/internal/ground/fault"
	"zunft/internal/ground/seal"
)

// An activation code has eleven random characters (50 bits) and a check
// character, so a slip of the pen is told from a wrong code and costs no try.
// The alphabet has 23 characters, a prime: with weights 1 to 12 every single
// wrong character and every swap of two is found.
const (
	codeLength = 12
	alphabet   = "34679ACDEFGHJKMNPQRTWXY" // what seal.Letters draws from
)

func newCode() string {
	code := seal.Letters(codeLength - 1)
	return code + string(checkCharacter(code))
}

func checkCharacter(code string) byte {
	sum := 0
	for i := range codeLength - 1 {
		sum += (i + 1) * strings.IndexByte(alphabet, code[i])
	}
	// Weight 12 for the check character itself: 12·c ≡ −sum (mod 23), and 12·2 ≡ 1.
	return alphabet[(len(alphabet)-sum%len(alphabet))*2%len(alphabet)]
}

// ReadCode brings a typed code into the form it was made in. What cannot be a
// code is said kindly and costs no try (ux.md 2.9 no. 13).
func ReadCode(typed string) (string, error) {
	code := seal.Normalize(typed)
	if code == "" {
		return "", fault.Invalid("code", "letter.code_missing")
	}
	for _, r := range code {
		if !strings.ContainsRune(alphabet, r) {
			if r > 0x20 && r < 0x7f {
				return "", fault.Invalid("code", "letter.code_character", string(r))
			}
			return "", fault.Invalid("code", "letter.code_characters")
		}
	}
	if n := len(code); n != codeLength {
		return "", fault.Invalid("code", "letter.code_length", n)
	}
	if checkCharacter(code) != code[codeLength-1] {
		return "", fault.Invalid("code", "letter.code_slip")
	}
	return code, nil
}
