package password

import _ "github.com/FastFilter/xorfilter"
