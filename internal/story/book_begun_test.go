package story_test

import (
	"testing"

	"zunft/internal/story"
)

// What `make run` shows first: the report book has begun. The year and the list
// for the exam have something to say, Murat's desk has a report on it, Bert
// keeps apprenticeships, and Anna's waits for her by her address.
func TestTheDemoHasLife(t *testing.T) {
	each(t, story.Options{Begun: true}, func(t *testing.T, w *story.World) {
		lena, murat, bert := onPhone(t, w, "lena"), walks(t, w, "murat"), walks(t, w, "bert")
		for _, p := range []*person{murat, bert} {
			p.signIn()
		}
		lena.Open(w.Training + "/")
		lena.HasText("Woche " + weekAgo(2).Name() + " überarbeiten")
		lena.HasText("wie viele Teile")
		lena.Open(w.Training + "/exam")
		lena.HasText("Wochen fehlen")
		lena.HasText("steht im Verzeichnis der Kammer")
		murat.Open(w.Training + "/reviews")
		murat.HasText("Lena Lerche, Woche " + weekAgo(1).Name())
		bert.Open(w.Training + "/company")
		bert.HasText("Lena Lerche")
		bert.HasText("Anna Amsel")
	})
}
