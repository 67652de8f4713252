// What the figures mean, from docs/explanation/reading-the-picture.md.
// Made by `python -m tests.support.documents.reference`; do not edit.

export const MEANINGS = [
 [
  "The entropy lines",
  "One line for each family, over the number of observations: values that came in since the start set. Height is the family's entropy in nat: how widely its values spread. exp(h) is a width, in units of the property: a family that rises by 0.69 nat covers twice the range it did."
 ],
 [
  "The band",
  "The shaded strip around a line holds the true entropy about nine times in ten. It is wide for a family with few values, and absent below five. It is drawn for the poorest and the richest family. Where it leaves the picture, triangles stand at the edge, and the note below says how far it goes, and whether the two bands overlap at the end."
 ],
 [
  "The starved family",
  "The one whose entropy is lowest: the first to be enriched. It changes hands when another one is lowest; near the end, when all are alike, it changes often and says nothing any more."
 ],
 [
  "The range",
  "Highest minus lowest entropy. It hangs on two families only: one that can never catch up holds it up for ever. It falls also when the highest gets poorer, which is no gain."
 ],
 [
  "The mean gap",
  "How far the families are behind the highest, on average. This is what gap_gain works on, and what a campaign's headline says. Below 0.05 nat, with five values in every family, the dataset is called even: what is left is smaller than what the estimator errs by."
 ],
 [
  "Evenness",
  "How evenly the effective widths exp(h) are shared, from 0 to 1. It is near 1 soon, because widths differ less than it seems; look at the mean gap for the difference between 0.99 and 1.00."
 ],
 [
  "Joint entropy",
  "How much families and values tell together. Read it beside evenness: when evenness rises and joint entropy falls, the dataset became even by becoming poorer."
 ],
 [
  "Standard deviation of entropy",
  "How far all families are apart, where the range looks at two."
 ],
 [
  "Coverage",
  "The share of the families with five values or more. A constant 1 says only that none is nearly empty."
 ],
 [
  "At random",
  "What the same budget would have brought, drawn at random from the same start: the dashed line, or the column. Where it is as good as the campaign's own, choosing was not worth it."
 ],
 [
  "Best, and regret",
  "A campaign may pass its best and go on. “mean gap 0.020 nat at observation 178, 0.030 now” says so; the difference is the regret, and a stop rule ends a campaign before it grows."
 ],
 [
  "Cannot be helped",
  "“with up to 50 more values” says which entropy a family could reach at most: with all its known values and the best that the model expects of what remains. A family that stays behind even then cannot be helped by measuring candidates of this pool."
 ],
 [
  "Spent, in flight, retries",
  "Spent counts candidates that were asked for, out of the budget. In flight is asked for and not answered. A retry is another attempt for a candidate whose attempt failed or fell silent: it costs no budget. Abandoned is what no attempt brought."
 ],
 [
  "Accepted, duplicate, quarantined",
  "An accepted result is in the dataset and on the disk. A duplicate is the same answer once more: labs repeat until they have a receipt. Quarantined is what could not be taken for a message of this campaign, with its reason. None of these numbers is an alarm by itself; a quarantine that grows is."
 ],
 [
  "Sound",
  "verify found nothing that contradicts the journal: its chain of digests, the recording, the instruments' own memories. What that proves, and against whom."
 ],
 [
  "The decision",
  "Score: what the policy ranks candidates by, comparable within one decision only. Predicted ±: what the model expected, and how unsure it was, before the value came. Runner-up and margin: who lost, and by how much; a margin near zero says that the choice was a toss-up. Expected gain and real gain: by how much the family's entropy was to rise, and did. The same decision today: the policy was asked again, from what was known then (determinism)."
 ]
];
