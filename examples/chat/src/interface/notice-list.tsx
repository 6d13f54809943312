/** Notices at the top of the page. */
import { Icon } from "./icon.js";
import { dismiss, notices } from "./notices.js";

export function NoticeList() {
  return (
    <div class="notices" role="status" aria-label="Notices">
      {notices.value.map((notice) => (
        <div key={notice.text} class={notice.isError ? "notice error" : "notice"}>
          <p>{notice.text}</p>
          <button type="button" class="quiet" onClick={() => dismiss(notice)}>
            <Icon name="close" />
            <span class="hidden-text">Dismiss: {notice.text.slice(0, 40)}</span>
          </button>
        </div>
      ))}
    </div>
  );
}
