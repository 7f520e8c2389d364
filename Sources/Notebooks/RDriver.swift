// The R program that runs the R cells of one stage.
// SPDX-License-Identifier: Apache-2.0

/// Reads the path of a request a line and answers in JSON lines. A request is an R file that calls
/// `.pipe_cell(number, file, name, line)`. R cannot open a socket it inherits, so `rRelay` stands between.
///
/// A cell is parsed behind as many empty lines as precede it in the notebook: every line number is the notebook's.
let rDriver = #"""
  options(warn = 1, width = 100, device = function(...) svg(...), bitmapType = "cairo")
  .pipe <- new.env()
  .pipe$folder <- Sys.getenv("PIPE_R_FOLDER")
  Sys.unsetenv("PIPE_R_FOLDER")
  .pipe$requests <- fifo(file.path(.pipe$folder, "requests"), open = "r", blocking = TRUE)
  .pipe$answers <- fifo(file.path(.pipe$folder, "answers"), open = "w", blocking = TRUE)

  .pipe$quote <- function(text) {
    text <- enc2utf8(paste(text, collapse = "\n"))
    text <- gsub("\\", "\\\\", text, fixed = TRUE)
    text <- gsub("\"", "\\\"", text, fixed = TRUE)
    text <- gsub("\n", "\\n", text, fixed = TRUE)
    text <- gsub("\r", "\\r", text, fixed = TRUE)
    text <- gsub("\t", "\\t", text, fixed = TRUE)
    text <- gsub("[\001-\037]", "", text)
    paste0("\"", text, "\"")
  }

  .pipe$answer <- function(...) {
    writeLines(paste0("{", paste0(..., collapse = ","), "}"), .pipe$answers, useBytes = TRUE)
    flush(.pipe$answers)
  }

  .pipe$show <- function(data) {
    flush(stdout())
    fields <- vapply(names(data), function(mime) paste0(.pipe$quote(mime), ":", .pipe$quote(data[[mime]])), "")
    .pipe$answer("\"event\":\"display\",\"data\":{", paste(fields, collapse = ","), "}")
    readLines(.pipe$requests, 1)
  }

  .pipe$table <- function(frame) {
    shown <- utils::head(frame, 50)
    columns <- lapply(shown, function(column) ifelse(is.na(column), "null", vapply(as.character(column), .pipe$quote, "")))
    rows <- character(0)
    if (nrow(shown) > 0) rows <- paste0("[", do.call(paste, c(unname(columns), sep = ",")), "]")
    names <- paste(vapply(names(shown), .pipe$quote, ""), collapse = ",")
    paste0("{\"columns\":[", names, "],\"rows\":[", paste(rows, collapse = ","), "],\"totalRows\":", nrow(frame), "}")
  }

  # Figures: one SVG device a cell, one file a page; what draws nothing leaves none.

  .pipe$open_figures <- function(number) {
    .pipe$figures <- file.path(.pipe$folder, paste0("figure-", number, "-"))
    svg(paste0(.pipe$figures, "%03d.svg"), width = 7, height = 5, onefile = FALSE)
    .pipe$device <- dev.cur()
    dev.control("enable")
  }

  .pipe$close_figures <- function() {
    if (.pipe$device %in% dev.list()) dev.off(.pipe$device)
    files <- sort(Sys.glob(paste0(.pipe$figures, "*.svg")))
    for (file in files) {
      text <- paste(readLines(file, warn = FALSE), collapse = "\n")
      unlink(file)
      start <- regexpr("<svg", text, fixed = TRUE)
      if (start > 0 && grepl("<(path|text|use|polyline|circle|rect[^>]*fill-opacity=\"0)", sub("<rect[^>]*>", "", text))) {
        .pipe$show(list("image/svg+xml" = substring(text, start), "text/plain" = "<figure>"))
      }
    }
  }

  display <- function(value) {
    plain <- paste(utils::capture.output(print(value)), collapse = "\n")
    data <- list("text/plain" = plain)
    if (is.data.frame(value) && ncol(value) > 0) {
      table <- tryCatch(.pipe$table(as.data.frame(value)), error = function(error) NULL)
      if (!is.null(table)) data[["application/vnd.pipe.table+json"]] <- table
    }
    .pipe$show(data)
    invisible(value)
  }

  # Values that draw themselves when printed, and those that are printed as text.
  .pipe$present <- function(value) {
    if (inherits(value, c("ggplot", "trellis", "grob", "recordedplot"))) print(value) else display(value)
  }

  .pipe$line <- function(reference) if (is.null(reference)) NA else as.integer(reference)[1]

  .pipe_cell <- function(number, path, name, first) {
    source <- readLines(path, warn = FALSE, encoding = "UTF-8")
    text <- c(rep("", first - 1), source)
    line <- first
    failed <- FALSE
    .pipe$open_figures(number)
    calls <- NULL
    outcome <- tryCatch({
      expressions <- parse(text = text, srcfile = srcfilecopy(name, text), keep.source = TRUE)
      references <- attr(expressions, "srcref")
      for (index in seq_along(expressions)) {
        line <- .pipe$line(references[[index]])
        result <- withCallingHandlers(
          withVisible(eval(expressions[[index]], globalenv())),
          error = function(error) {
            inner <- vapply(sys.calls(), function(call) {
              reference <- attr(call, "srcref")
              file <- attr(reference, "srcfile")
              if (is.null(file) || !identical(file$filename, name)) NA else .pipe$line(reference)
            }, 1)
            inner <- inner[!is.na(inner)]
            if (length(inner) > 0) line <<- inner[length(inner)]
          })
        if (result$visible) .pipe$present(result$value)
      }
      NULL
    }, error = function(error) error, interrupt = function(error) quit("no", 130))
    .pipe$close_figures()
    flush(stdout())
    if (is.null(outcome)) return(.pipe$answer("\"event\":\"done\""))
    message <- conditionMessage(outcome)
    place <- regmatches(message, regexec("^[^\n]*?:([0-9]+):[0-9]+: ", message, perl = TRUE))[[1]]
    if (length(place) == 2) line <- as.integer(place[2])
    call <- conditionCall(outcome)
    where <- if (is.null(call)) "Error: " else paste0("Error in ", paste(deparse(call), collapse = " "), ": ")
    .pipe$answer(
      "\"event\":\"failed\",\"line\":", line, ",\"message\":", .pipe$quote(message), ",\"text\":",
      .pipe$quote(paste0("File \"", name, "\", line ", line, "\n", where, message)))
  }

  while (length(.pipe$request <- readLines(.pipe$requests, 1)) > 0) base::source(.pipe$request, local = TRUE)

  """#

/// Joins descriptor 61 to two FIFOs, and ends as R ended.
let rRelay = #"""
  mkfifo "$PIPE_R_FOLDER/requests" "$PIPE_R_FOLDER/answers" || exit
  cat <&61 >"$PIPE_R_FOLDER/requests" &
  requests=$!
  cat "$PIPE_R_FOLDER/answers" >&61 &
  answers=$!
  Rscript --vanilla "$PIPE_R_FOLDER/driver.R" 61>&- &
  wait $!
  status=$?
  # Nobody opens the other end of a FIFO any more.
  { : <>"$PIPE_R_FOLDER/answers"; } 2>/dev/null
  wait $answers
  kill $requests 2>/dev/null
  (( status <= 128 )) || kill -$((status - 128)) $$
  exit $status

  """#
