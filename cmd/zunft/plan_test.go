package main

import (
	"os"
	"path/filepath"
	"testing"
)

// A training plan comes in as a list; what cannot be used is said.
func TestTrainingPlanCommand(t *testing.T) {
	c, dir := trainingConsole(t)
	list := filepath.Join(dir, "plan.csv")
	put := func(text string) {
		t.Helper()
		if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("Nummer;Titel;Wochen;Stichworte\nA 1;Weizenbrot;12;weizen\nA 2;Torten;10;torte\n")
	c.works("training plan "+list+" --occupation Bäckerin --dry-run", "+ A 1 Weizenbrot, 12 weeks: weizen", "2 sections: 2 new, 0 changed, 0 not offered any more")
	c.works("training plan "+list+" --occupation Bäckerin", "2 sections: 2 new")
	c.works("training plan "+list+" --occupation Bäckerin", "2 sections: 0 new, 0 changed, 0 not")
	put("Nummer;Berufsbildposition;Wochen;Stichworte\nA 1;Weizenbrot;14;weizen\nA 3;Schaufenster;2;deko\n")
	c.works("training plan "+list+" --occupation Bäckerin --dry-run", "+ A 3 Schaufenster", "~ A 1 Weizenbrot, 14 weeks", "- A 2 Torten", "1 new, 1 changed, 1 not offered")
	put("Nummer;Titel;Wochen;Stichworte\nA 1;Weizenbrot;12;weizen\nA 2;Torten;10;torte\n")
	c.works("training plan "+list+" --occupation Bäckerin", "0 new, 0 changed, 0 not offered") // the trial left nothing behind
	c.works("training plan "+list+" --occupation baecker --chamber 999", "2 sections")
	c.fails("training plan "+list+" --occupation Astronaut", "there is no occupation")
	put("Nummer;Titel\nA 1;Weizenbrot\nA 1;Torten\n")
	c.fails("training plan "+list+" --occupation all", "Section 2: the number A 1 is there already")
	put("Name;Wochen\nA 1;12\n")
	c.fails("training plan "+list+" --occupation all", "number")
}
