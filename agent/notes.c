#include "agent/agent_priv.h"

#include <stdio.h>

#include "lib/sys/log.h"

void notes_move(struct agent *a, enum upd_state from)
{
	struct buf *b = &a->notes;

	buf_addf(b, "%s -> %s", upd_state_name(from), upd_state_name(a->rec.state));
	if (a->rec.goal.release.s[0])
		buf_addf(b, " %s", a->rec.goal.release.s);
	if (a->rec.state != UPD_IDLE && a->rec.why != ERR_OK)
		buf_addf(b, " (%s: %s)", err_name(a->rec.why), a->rec.why_text);
	buf_add_char(b, '\n');
}

void notes_flush(struct agent *a)
{
	struct str rest = buf_str(&a->notes), line;
	char text[512];
	struct err e;

	while (str_split(&rest, '\n', &line)) {
		snprintf(text, sizeof(text), "%.*s", (int)line.n, line.p);
		if (line.n && history_add(a->w.fs, agent_wall(a), text, &e) < 0)
			log_err(LOG_ID_ACTION_FAILED, &e, "action=history");
	}
	buf_clear(&a->notes);
}

/* For people and the server, and never before the way back: while the old slot is being made
 * active again, nothing else may be waited for. The old version's start leaves time enough. */
void notes_due(struct agent *a)
{
	if (a->rec.state == UPD_REVERTING && a->work)
		return;
	if (a->notes.n)
		notes_flush(a);
	if (a->tell) {
		a->tell = false;
		/* Being stuck has no tail that would report it. */
		outbox_tell(a, a->rec.state == UPD_STUCK ? REPORT_OUTCOME : REPORT_STATE);
	}
	if (a->draft) {
		a->draft = false;
		tail_draft(a);
	}
}
